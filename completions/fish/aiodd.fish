# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Completion of aiodd for fish. The program is asked what it takes; names of
# files, also behind a =, are completed by fish itself.

function __aiodd_list
    set -l words (commandline -opc)
    command $words[1] --list-operands 2>/dev/null
end

# Block devices with their size and model.
function __aiodd_devices --argument-names before
    lsblk -lpno NAME,SIZE,TYPE,MODEL 2>/dev/null |
        string replace -r '^(\S+)\s+(.*?)\s*$' "$before\$1\t\$2" |
        string replace -ar ' +' ' '
end

# What stands behind name=, the words of which there may be a list.
function __aiodd_words --argument-names name typed
    set -l list (__aiodd_list)
    set -l before ''
    if string match -qr "^$name=\t[A-Z]+S\t" -- $list
        set before (string match -r '^.*,' -- $typed)
    end
    for line in $list
        set -l word (string match -r "^$name=([^\t]+)\t\t(.*)" -- $line)
        or continue
        contains -- $word[2] (string split , -- $before)
        or printf '%s=%s%s\t%s\n' $name "$before" $word[2] "$word[3]"
    end
end

function __aiodd_complete
    set -l token (commandline -ct)
    set -l parts (string split -m 1 = -- $token)
    if not set -q parts[2]
        __aiodd_list | string replace -rf '^([a-z]+=)\t[^\t]+\t' '$1\t'
        string match -q '/*' -- $token
        and __aiodd_devices ''
    else if contains -- $parts[1] if of
        __aiodd_devices "$parts[1]="
    else
        __aiodd_words $parts
    end
end

# Whether what is typed is an operand with another value than a file.
function __aiodd_is_no_file
    set -l name (string match -r '^[a-z]+=' -- (commandline -ct))
    and not __aiodd_list | string match -qr "^$name\tFILE\t"
end

complete -c aiodd -n __aiodd_is_no_file -f
complete -c aiodd -a '(__aiodd_complete)'
complete -c aiodd -l help -d 'print the most common operands'
complete -c aiodd -l version -d 'print the version'
