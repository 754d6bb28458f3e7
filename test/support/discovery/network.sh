#!/bin/sh
# Two machines in networks of their own, with a cable between them: network.sh CAMERA CLIENT…
# Starts `python3 CAMERA` on one, at 192.168.42.10, and CLIENT on the other, at 192.168.42.1; ends with the client.
set -e
camera=$1
shift
ip link set lo up
ip link add near type veth peer name far
ip address add 192.168.42.1/24 dev near
ip link set near up
unshare --net sh -c '
  until ip link show far >/dev/null 2>&1; do sleep 0.02; done
  ip link set lo up
  ip address add 192.168.42.10/24 dev far
  ip link set far up
  ip route add default dev far
  exec python3 "$0"
' "$camera" &
# until that one has a network of its own, this moves the cable nowhere
while ip link show far >/dev/null 2>&1; do
  ip link set far netns $! || true
  sleep 0.02
done
"$@"
