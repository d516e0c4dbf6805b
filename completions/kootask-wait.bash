# SPDX-License-Identifier: MIT
# Completion of kootask-wait in bash: options, directories, and the ids of the tasks of all kootaskfs mounts, which become
# their directories. Of a mount only tasks/ is listed.

_kootask_wait()
{
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  local before rest point path mounts=0 found

  COMPREPLY=()
  [[ $cur != '=' ]] || cur=
  [[ $prev != '=' ]] || prev=${COMP_WORDS[COMP_CWORD - 2]}
  if [[ $prev == --timeout || $prev == -t ]]; then
    return # any duration
  fi
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W '--timeout= --any --quiet --help --version -t -a -q -h -V' -- "$cur")
    [[ ${COMPREPLY[*]} != *= ]] || compopt -o nospace 2>/dev/null
    return
  fi
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -d -- "$cur")
  [[ $cur != */* && $cur != '~'* ]] || return
  found=${#COMPREPLY[@]}
  while read -r before; do
    rest=${before#* - }
    [[ ${rest%% *} == fuse.kootaskfs ]] || continue
    read -r _ _ _ _ point _ <<<"$before"
    printf -v point '%b' "$point" # a blank is \040
    for path in "$point/tasks/$cur"*; do
      [[ ${path##*/} == *'*' ]] || COMPREPLY+=("$path") # with no match the pattern stays
    done
    mounts=$((mounts + (${#COMPREPLY[@]} > found)))
    found=${#COMPREPLY[@]}
  done </proc/self/mountinfo
  # what the paths of two mounts have in common would replace what was typed; with a blank they have nothing
  [[ $mounts -lt 2 ]] || COMPREPLY+=(' ')
} &&
  complete -F _kootask_wait kootask-wait
