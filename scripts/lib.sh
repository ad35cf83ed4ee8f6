# What the scripts share. Sourced, from the repository's root:
#   cd "$(dirname "${BASH_SOURCE[0]}")/.." && . scripts/lib.sh
# shellcheck shell=bash

jobs=$(nproc)

# Presets with the same flags share what ccache has: paths inside the repository do not count.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

# Configures and builds a preset, or some targets of it; what compiles is compiled even after an
# error, so that one run shows all of them.
#   build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  cmake --preset "$preset" || return
  cmake --build --preset "$preset" ${1:+--target "$@"} -- -j "$jobs" -k 0
}

# The C++ files that are ours to format: tracked and new ones, never generated ones.
cpp_files() {
  git ls-files --cached --others --exclude-standard --deduplicate -- '*.h' '*.cpp'
}

# The fuzz targets that the last build of a preset knows, one a line.
#   fuzz_targets [PRESET]
fuzz_targets() {
  sed '/^$/d' "build/${1:-fuzz}/fuzz_targets.txt"
}

# Runs a fuzz target on its seeds and on what earlier runs found worth keeping.
#   run_fuzz PRESET NAME SECONDS [libFuzzer option...]
# Where tests/fuzz/NAME.dict is, it is the dictionary. A finding is left in
# build/fuzz/findings/NAME-*; run the program on that file to see it again.
run_fuzz() {
  local preset=$1 name=$2 seconds=$3
  shift 3
  mkdir -p "build/fuzz/corpus/$name" build/fuzz/findings
  [[ ! -e tests/fuzz/$name.dict ]] || set -- -dict="tests/fuzz/$name.dict" "$@"
  local seeds=()
  for folder in "tests/fuzz/corpus/$name" "build/$preset/tests/fuzz/seeds/$name"; do
    [[ ! -d $folder ]] || seeds+=("$folder")
  done
  "build/$preset/tests/fuzz/${name}_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="build/fuzz/findings/$name-" -print_final_stats=1 "$@" \
    "build/fuzz/corpus/$name" "${seeds[@]}"
}

# Downloads a package of Debian's and unpacks it into a folder of build/, without installing it:
# neither its service nor its postinst runs. Returns at once when the program is there.
#   unpack_package PACKAGE FOLDER PROGRAM
unpack_package() {
  local package=$1 out=build/$2 program=$3 work
  [[ ! -e $out/$program ]] || return 0
  mkdir -p build
  work=$(mktemp -d "build/$2.XXXXXX")
  # As root, apt reads with another user's rights, who may not write here: the sandbox is left out.
  if (cd "$work" && apt-get -q -o Acquire::Retries=5 -o APT::Sandbox::User=root \
    download "$package") && dpkg-deb -x "$work/$package"_*.deb "$work/unpacked"; then
    rm -rf "$out"
    mv "$work/unpacked" "$out"
  fi
  rm -rf "$work"
  [[ -e $out/$program ]]
}
