#!/bin/bash
# Starts nginx as the image configures it, with the site where the image says that sites go.
set -eu

ask() { # PATH: the whole answer; bash speaks HTTP well enough, so the image needs no client
    exec 3<>/dev/tcp/127.0.0.1/80
    printf 'GET %s HTTP/1.0\r\nHost: shop\r\n\r\n' "$1" >&3
    tr -d '\r' <&3
    exec 3>&-
}

expect() { # PATH TEXT
    local answer
    answer=$(ask "$1")
    echo "GET $1 -> ${answer%%$'\n'*}"
    [[ $answer == *"$2"* ]] && return
    printf 'GET %s: expected "%s" in the answer, which was:\n%s\n' "$1" "$2" "$answer" >&2
    exit 1
}

nginx -v
cp site/* /var/www/html/
echo '{"open":9}' >/var/www/html/hours.json
nginx -g 'daemon off;' &
for _ in {1..100}; do
    ! (: <>/dev/tcp/127.0.0.1/80) 2>/dev/null || break
    sleep 0.1
done

expect / "Open from nine to five."
expect /index.html "Content-Type: text/html"
expect /hours.json "Content-Type: application/json"
expect /nowhere " 404 "
expect /../../../etc/passwd " 400 "
kill -QUIT $!
wait $!
