#!/bin/sh
# The compiler, for code of this workspace: counts which lines run. See coverage.sh.
exec "$@" -Cinstrument-coverage
