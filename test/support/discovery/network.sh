#!/bin/sh
# Machines in networks of their own: network.sh FOLDER CLIENT…; ends with the client, which is one of them.
#   the client   192.168.42.1 on the interface drones, 192.168.1.1 on lan, and, on an interface that leads nowhere, addresses
#                where no camera may be
#   drone.py     192.168.42.10
#   camera.py    192.168.1.64, with announcer.py, and beside it, at 192.168.1.66, stranger.py, which is the client's name
#                server as well
set -e
here=$(dirname "$0")
folder=$1
shift

# shellcheck source=test/support/discovery/machine.sh
. "$here/machine.sh"

ip link set lo up
machine drones 192.168.42.1 192.168.42.10 "$here/drone.py"
machine lan 192.168.1.1 "192.168.1.64 192.168.1.66" "$here/camera.py" "$here/announcer.py" "$here/stranger.py"
ip route add default dev drones
# as a dummy interface would be, which not every kernel has
ip link add nowhere type veth peer name end
ip link set nowhere up
ip link set end up
for address in 169.254.169.254/16 100.100.100.200/32; do ip address add "$address" dev nowhere; done
for address in fd00:ec2::254 2002:7f00:1::1 64:ff9b::7f00:1 2001:db8::1; do
  ip address add "$address/128" dev nowhere nodad
done
echo "nameserver 192.168.1.66" >"$folder/resolv.conf"
mount --bind "$folder/resolv.conf" /etc/resolv.conf
/usr/bin/python3 "$here/canary.py" &
"$@"
