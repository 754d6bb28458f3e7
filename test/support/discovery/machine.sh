# shellcheck shell=sh
# Machines in networks of their own, for who has a network of its own: $folder is where they may write.

# machine INTERFACE OF_CLIENT ADDRESSES PROGRAM…: one of these addresses at the other end of a cable
machine() {
  ip link add "$1" type veth peer name far
  ip address add "$2/24" dev "$1"
  ip link set "$1" up
  addresses=$3
  interface=$1
  shift 3
  # shellcheck disable=SC2154,SC2016
  FOLDER=$folder ADDRESSES=$addresses unshare --net sh -c '
    until ip link show far >/dev/null 2>&1; do sleep 0.02; done
    ip link set lo up
    for address in $ADDRESSES; do ip address add "$address/24" dev far; done
    ip link set far up
    ip route add default dev far
    for program in "$@"; do
      case $program in
        *.ts) "$NODE" "$program" & ;;
        *) /usr/bin/python3 "$program" & ;;
      esac
    done
    wait
  ' "$interface" "$@" &
  # until that one has a network of its own, this moves the cable nowhere
  while ip link show far >/dev/null 2>&1; do
    ip link set far netns $! || true
    sleep 0.02
  done
}
