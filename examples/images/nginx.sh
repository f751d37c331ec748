# shellcheck shell=bash disable=SC2034
# How the quickstart makes images of nginx from the packages of Debian or Ubuntu; to be sourced.

project=nginx
packages=(nginx) # the first one is the service; all are taken in the same version
config='{"Cmd":["nginx","-g","daemon off;"],"ExposedPorts":{"80/tcp":{}}}'

promises="pages come with their types, others are a 404, nothing outside is served"

# A publisher's rebuild of the very same release that starts, answers, and no longer does what users rely on.
breaks="its sites-enabled/default serves /srv/www, where nobody's pages are"
broken_files=(etc/nginx/sites-available/default)
break_contract() { # FOLDER, with these files of the good image in it
    sed -i 's|root /var/www/html;|root /srv/www;|' "$1/etc/nginx/sites-available/default"
}
