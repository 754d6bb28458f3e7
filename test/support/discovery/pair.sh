#!/bin/sh
# The client and a camera that tests play, at either end of a cable: pair.sh FOLDER CLIENT…; ends with the client.
#   the client   192.168.1.1
#   played.ts    192.168.1.64
set -e
here=$(dirname "$0")
folder=$1
shift

# shellcheck source=test/support/discovery/machine.sh
. "$here/machine.sh"

# of a pair before
rm -f "$folder/ready"
ip link set lo up
machine lan 192.168.1.1 192.168.1.64 "$here/played.ts"
ip route add default dev lan
until [ -e "$folder/ready" ]; do sleep 0.02; done
"$@"
