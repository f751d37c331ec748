# examples: projects that run; quickstart.sh runs the gate on two of them, tests/e2e/examples.bats on the others.
EXTRA_DIST += %D%/README.md %D%/quickstart.sh %D%/images %D%/dockerfile %D%/nginx %D%/redis %D%/staged
