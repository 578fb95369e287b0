# shellcheck shell=bash
# Completion of gainstage for bash. The program itself says what may follow, so this never goes stale.

_gainstage() {
    local line=${COMP_LINE:0:COMP_POINT} program=${1/#\~/$HOME} words=() word="" quote="" character k
    # The words of the line as the program will see them. COMP_WORDS has quotes, and is split at colons.
    for ((k = 0; k < ${#line}; k++)); do
        character=${line:k:1}
        case $quote$character in
            "''" | '""') quote="" ;;
            \'?* | \"?*) word+=$character ;;
            \\) k=$((k + 1)) word+=${line:k:1} ;;
            \' | \") quote=$character ;;
            ' ' | $'\t')
                [ -z "$word" ] || words+=("$word")
                word=""
                ;;
            *) word+=$character ;;
        esac
    done

    # Readline replaces only what stands behind the last colon or equals sign.
    local kept=""
    [ -n "$quote" ] || kept=${word%"${word##*[:=]}"}
    local endings="" offer ending
    COMPREPLY=()
    while IFS=$'\t' read -r offer _; do
        COMPREPLY+=("${offer#"$kept"}")
    done < <("$program" __complete "${words[@]:1}" "$word" 2>/dev/null)
    # Its first line names the endings of files that fit, too.
    endings=${COMPREPLY[0]:-}
    COMPREPLY=("${COMPREPLY[@]:1}")
    if [ -n "$endings" ]; then
        while IFS= read -r offer; do
            if [ "$endings" = "*" ] || [ -d "$offer" ]; then
                COMPREPLY+=("$offer")
            else
                for ending in $endings; do
                    [[ $offer != *".$ending" ]] || COMPREPLY+=("$offer")
                done
            fi
        done < <(compgen -f -- "$word")
    fi
    compopt -o filenames 2>/dev/null  # readline puts backslashes before spaces
    [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *: ]] || compopt -o nospace 2>/dev/null
}
complete -F _gainstage gainstage
