# examples: projects that run; quickstart.sh runs the gate on them. tests/e2e/quickstart.bats holds what it shows.
EXTRA_DIST += %D%/quickstart.sh %D%/images %D%/nginx %D%/redis
