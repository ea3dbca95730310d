#!/bin/sh
# Write the lock files: every version pinned and hashed, no host named. The argument is the uv to use.
set -eu
cd "$(dirname "$0")/.."
compile() {
    out=$1
    shift
    "$UV" pip compile pyproject.toml requirements/build.in --universal --generate-hashes --no-header --no-annotate \
        --python-version 3.11 --quiet --upgrade "$@" --output-file "requirements/$out"
}
UV=$1
compile run.txt --extra sendgrid --extra web
compile test.txt --extra backup --extra dkim --extra postgres --extra sendgrid --extra ses --extra web --group test
compile dev.txt --extra backup --extra dkim --extra postgres --extra sendgrid --extra ses --extra web --group test --group dev
compile browser.txt --extra backup --extra dkim --extra postgres --extra sendgrid --extra ses --extra web --group test --group browser
if grep -l '://' requirements/*.txt; then
    echo 'a lock file names a host' >&2
    exit 1
fi
