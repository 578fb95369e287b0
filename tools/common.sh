# shellcheck shell=bash
# Packages, the build and the clock, for tools/demo, tools/test and tools/lint. Sourced, not run.
# Bash 3.2 (macOS) runs it too: there an empty array may only be expanded as ${name[@]+"${name[@]}"}.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
started=$SECONDS
install=yes  # --no-install makes it "no"

say() { printf '%s\n' "$*"; }

fail() {  # CODE MESSAGE...: says it and leaves (sysexits: 64 usage, 70 internal, 78 environment)
    local code=$1
    shift
    printf '%s\n' "$@" >&2
    exit "$code"
}

elapsed() { say "done in $((SECONDS - started)) s"; }

cores() { nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2; }

listed() {  # COLUMN GROUP...: the packages of these groups (column 2: Debian, 3: Homebrew)
    local column=$1
    shift
    awk -v column="$column" -v groups=" $* " \
        '!/^#/ && index(groups, " " $1 " ") && $column != "-" && !seen[$column]++ { print $column }' "$root/tools/packages"
}

# Debian's packages of these groups. A package with a ? counts only where apt knows it.
wanted_packages() {  # GROUP...
    local package
    for package in $(listed 2 "$@"); do
        case $package in
            *\?) if apt-cache show "${package%\?}" >/dev/null 2>&1; then say "${package%\?}"; fi ;;
            *) say "$package" ;;
        esac
    done
}

missing_packages() {  # GROUP...: those that dpkg does not have installed
    local wanted installed
    wanted=$(wanted_packages "$@")
    # shellcheck disable=SC2086,SC2016  # one word per package; ${...} is dpkg-query's own language
    installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2>/dev/null |
        awk '$2 == "installed" { print $1 }')
    grep -vxF "${installed:-none}" <<<"$wanted" || true
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then env "$@"; else sudo env "$@"; fi
}

# Asks sudo here and now, where its question for a password can be seen.
may_install() {
    [ "$(id -u)" -eq 0 ] && return
    command -v sudo >/dev/null || return
    sudo -n true 2>/dev/null && return
    say "Packages are missing, and installing them needs root: sudo asks for your password."
    sudo true
}

apt() {
    as_root DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
        -o Dpkg::Use-Pty=0 "$@"
}

# GROUP...: installs what is missing, or names it under --no-install. Without apt-get it can only name it.
need_packages() {
    local missing
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        [ "$install" = no ] && return
        fail 78 "There is no apt-get here. Install these packages, then run this again with --no-install:" \
            "  brew install $(listed 3 "$@" | paste -s -d ' ' -)"
    fi
    missing=$(missing_packages "$@" | paste -s -d ' ' -)
    [ -z "$missing" ] && return
    [ "$install" = no ] && fail 78 "Missing: $missing" \
        "Install with: apt-get install --no-install-recommends $missing"
    may_install || fail 78 "Missing: $missing" "Installing needs root, which sudo does not give here. As root, run:" \
        "  apt-get install --no-install-recommends $missing"
    local log
    log=$(mktemp)
    apt update >"$log" 2>&1 || say "apt-get update failed; trying with the package lists that are here."
    missing=$(missing_packages "$@" | paste -s -d ' ' -)  # now that apt knows what there is
    say "Installing with apt-get: $missing"
    # shellcheck disable=SC2086  # one word per package
    apt install -y --no-install-recommends $missing >>"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        fail 78 "apt-get could not install: $missing" "Its whole output: $log"
    }
    rm -f "$log"
}

# After `sudo tools/...` has installed packages, the rest runs as the checkout's owner, so that root leaves no file
# in it.
hand_over_to_owner() {  # SCRIPT ARGUMENT...
    local owner
    owner=$(stat -c %u "$root" 2>/dev/null) || return 0
    [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_UID:-}" ] && [ "$owner" -ne 0 ] || return 0
    say "Installed; going on as the owner of this checkout, $(stat -c %U "$root")."
    exec sudo -H -u "#$owner" env ${CXX:+"CXX=$CXX"} "$@" --no-install
}

# GAINSTAGE_WERROR=ON in the environment makes warnings errors, as in CI.
build() {  # FOLDER "CMAKE OPTIONS" TARGET...
    local folder=$1 options=$2
    shift 2
    # shellcheck disable=SC2086  # options are words
    cmake -S "$root" -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release \
        "-DGAINSTAGE_WERROR=${GAINSTAGE_WERROR:-OFF}" $options >"$folder.log" 2>&1 || {
        cat "$folder.log" >&2
        fail 70 "CMake could not configure $folder."
    }
    rm -f "$folder.log"
    export NINJA_STATUS="[%f of %t, %e s] "
    if [ -t 1 ]; then
        ninja -C "$folder" -j "$(cores)" "$@"
    else
        ninja -C "$folder" -j "$(cores)" "$@" | each_tenth
    fi || fail 70 "The build in $folder failed."
}

# Of ninja's lines "[12 of 130, 30.5 s] ..." one for every tenth of the way; all other lines, such as errors. No awk:
# Debian's reads a pipe in large pieces.
each_tenth() {
    local line told=0 count='^\[([0-9]+) of ([0-9]+), '
    while IFS= read -r line; do
        if [[ $line =~ $count ]]; then
            local built=${BASH_REMATCH[1]} all=${BASH_REMATCH[2]}
            if [ "$all" -ge 10 ] && [ $((10 * built / all)) -gt "$told" ]; then
                told=$((10 * built / all))
                say "  built $built of $all"
            fi
        elif [[ $line != "ninja: Entering directory"* && $line != "ninja: no work"* ]]; then
            say "$line"
        fi
    done
}
