# Completion of gainstage for fish. The program itself says what may follow, so this never goes stale.

function __gainstage_offers
    set -l words (commandline -opc)
    set -l begun (commandline -ct | string unescape)
    set -l lines ($words[1] __complete $words[2..-1] "$begun" 2>/dev/null)
    printf '%s\n' $lines[2..-1]
    # The first line names the endings of files that fit, too.
    if test "$lines[1]" = '*'
        __fish_complete_path "$begun"
    else if test -n "$lines[1]"
        for ending in (string split ' ' $lines[1])
            __fish_complete_suffix ".$ending"
        end
    end
end

complete -c gainstage -f -a '(__gainstage_offers)'
