#!/bin/sh
# The compiler, for code of this workspace: counts which lines run. See coverage.sh. With optimization
# small functions are compiled where they are called, and what was counted there is not found again.
exec "$@" -Cinstrument-coverage -Copt-level=0
