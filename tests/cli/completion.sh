#!/bin/bash
# SPDX-FileCopyrightText: 2026 the aiodd authors
# SPDX-License-Identifier: GPL-3.0-or-later
# What bash, zsh and fish complete, where each of them looks for it. The disks
# are made up.
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"

top=$(realpath "${top_srcdir:-$(dirname "$0")/../..}")
cat >"$work/bin/ours/lsblk" <<'END'
#!/bin/sh
echo '/dev/sdy     16G disk Ultra Fit'
echo '/dev/sdy1     1G part '
END
chmod +x "$work/bin/ours/lsblk"
mkdir -p "$work/share/bash-completion/completions" \
	"$work/share/fish/vendor_completions.d" "$work/home" "$work/here/condir"
cp "$top/completions/bash/aiodd" "$work/share/bash-completion/completions/"
cp "$top/completions/fish/aiodd.fish" "$work/share/fish/vendor_completions.d/"
cd "$work/here" || exit 99
: >copy.img
: >'con cave'
export PATH=$path_of_ours XDG_DATA_DIRS=$work/share:/usr/local/share:/usr/share \
	HOME=$work/home XDG_CONFIG_HOME=$work/home XDG_DATA_HOME=$work/home

# --- what the program says -----------------------------------------------

"$AIODD" --list-operands >list
is 'each line has a name, a value or a word, and help' \
	"$(grep -vE $'^[a-z]+=(\t[A-Za-z/]+\t.+|[a-z0-9_-]+\t\t.*)$' list)" ''
is 'a flag is listed for the side that takes it' \
	"$(grep -oE '^[io]flag=(fullblock|append|direct)\b' list | sort)" \
	"$(printf '%s\n' iflag={direct,fullblock} oflag={append,direct})"

# --- bash ----------------------------------------------------------------

# in_bash WORD...: what completes the last one. = is a word of its own.
in_bash()
{
	COMP_WORDS=(aiodd "$@") COMP_CWORD=$# COMPREPLY=()
	_aiodd aiodd "${!#}" 2>/dev/null
	[ "${#COMPREPLY[@]}" -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}" | sort
}

# shellcheck source=../../completions/bash/aiodd
. "$top/completions/bash/aiodd"
is 'bash: operands, and files' "$(in_bash co)" \
	"$(printf '%s\n' commit= con\\\ cave condir/ connections= conv= copy.img count= |
		sort)"
is 'bash: one operand' "$(in_bash src dst ver)" verify=
is 'bash: words' "$(in_bash commit = '')" "$(printf '%s\n' first-last rename)"
is 'bash: where = is no word of its own' "$(in_bash commit=r)" commit=rename
is 'bash: one word of a list' "$(in_bash iflag = direct,fu)" direct,fullblock
is 'bash: no word twice' "$(in_bash hash = sha256,sha2)" sha256,sha224
is 'bash: disks' "$(in_bash of = /dev/sd)" "$(printf '%s\n' /dev/sdy{,1})"
is 'bash: a disk as DST' "$(in_bash src /dev/sdy1)" /dev/sdy1
is 'bash: a list explains itself' "$(COMP_TYPE=63 in_bash of = /dev/sd)" \
	'/dev/sdy   (16G disk Ultra Fit)
/dev/sdy1  (1G part)'
for operand in bs report map expect; do
	is "bash: $operand= is left to readline" "$(in_bash "$operand" = c)" ''
done

# type TEXT UNTIL: on the terminal of bash, and what it shows until then
type_in()
{
	local char

	shown=
	printf '%b' "$1" >&"$to_bash"
	until [[ $shown == *"$2"* ]]; do
		IFS= read -r -N 1 -t "$PATIENCE" char <&"$from_bash" || return 1
		shown+=$char
	done
}

if [ -e /usr/share/bash-completion/bash_completion ]; then
	coproc TERM=dumb script -qec "PS1='ready> ' bash --norc -i" /dev/null
	# COPROC itself is gone when bash is.
	exec {to_bash}>&"${COPROC[1]}" {from_bash}<&"${COPROC[0]}"
	type_in '' 'ready> ' &&
		type_in '. /usr/share/bash-completion/bash_completion\n' 'ready> '
	check 'bash, on a terminal: of=' type_in 'aiodd of=/dev/sd\t\t\t' \
		'(16G disk Ultra Fit)'
	check 'bash, on a terminal: a list' type_in '\025aiodd iflag=direct,fu\t' \
		'direct,fullblock '
	check 'bash, on a terminal: a name is quoted' \
		type_in '\025aiodd report="con \t' 'cave" '
	type_in '\025exit\n' exit
	wait "$!"
else
	skip 'bash, on a terminal' 'bash-completion is not installed'
fi

# --- fish ----------------------------------------------------------------

# in_fish WORD...: what completes each of these lines
in_fish()
{
	# shellcheck disable=SC2016 # fish expands it
	fish -c 'for line in $argv; complete -C "aiodd $line"; end' "$@" 2>err
	cat err
}

if type -P fish >/dev/null; then
	is 'fish: operands with help, and files' \
		"$(in_fish ver 'src co')" \
		"$(grep '^verify=' list | sed -n 's/\t.*\t/\t/p;q')
$({ grep -E '^co[a-z]*='$'\t' list | sed 's/\t.*\t/\t/'
			printf '%s\n' 'con cave' condir/ copy.img; } | sort)"
	is 'fish: words of operands, and of lists' \
		"$(in_fish commit= iflag=direct,fu hash=sha256,sha2)" \
		"$(grep -E '^commit=[a-z]' list | sed 's/\t\t/\t/' | sort)
iflag=direct,fullblock	read full input blocks (iflag)
hash=sha256,sha224"
	is 'fish: disks' "$(in_fish of=/dev/sdy 'src /dev/sdy1')" \
		"of=/dev/sdy	16G disk Ultra Fit
of=/dev/sdy1	1G part
/dev/sdy1	1G part"
	is 'fish: files, and only where there can be one' \
		"$(in_fish report=cop bs=cop)" 'report=copy.img'
	is 'fish: /dev itself' "$(in_fish of=/de | head -n 1)" of=/dev/
else
	skip fish 'fish is not installed'
fi

# --- zsh -----------------------------------------------------------------

# in_zsh WORD...: the lines as the first tab leaves them, with what it lists
in_zsh()
{
	# Without the functions for other systems it takes a third of the time.
	cat >setup.zsh <<'END'
fpath=($ours ${(M)fpath:#*/(Completion|Base|Unix|Zsh|functions)})
autoload -Uz compinit
compinit -D -u
show() { print; print -r -- "<$BUFFER>"; zle -I; BUFFER= }
zle -N show
bindkey '^X' show
LISTMAX=999 PS1=
print ready
END
	cat >drive.zsh <<'END'
zmodload zsh/zpty
zpty shell "PS1= TERM=dumb zsh -f -i"
zpty -w shell '. ./setup.zsh'
zpty -r shell shown '*ready*'
for line; do
	zpty -w -n shell "aiodd $line"$'\t\x18'
	zpty -r shell shown '*<*>*'
	print -r -- "$shown"
done
zpty -d shell
END
	ours=$top/completions/zsh timeout "$PATIENCE" zsh -f drive.zsh "$@" 2>&1 |
		tr -d '\r'
}

if type -P zsh >/dev/null; then
	in_zsh ver commit=r iflag=direct,fu report=cop of=/dev/sd commit= \
		bs=cop 'src /dev/sdy' >shown
	is 'zsh: what is completed' "$(grep -oE '^<.*>' shown | tr -d '\n')" \
		"$(printf '<aiodd %s>' verify= 'commit=rename ' \
			iflag=direct,fullblock, 'report=copy.img ' of=/dev/sdy commit= bs=cop 'src /dev/sdy')"
	says 'zsh: disks' shown '^/dev/sdy +-- 16G disk Ultra Fit *$'
	says 'zsh: words' shown '^rename +-- write a new file, and rename'
else
	skip zsh 'zsh is not installed'
fi
finish
