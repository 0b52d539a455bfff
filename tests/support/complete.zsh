# zsh -f complete.zsh LINE PATTERN: what an interactive zsh with the completions of `fluvio` loaded says to LINE and a tab, once that
# fits the pattern.
zmodload zsh/zpty zsh/datetime
line=$1 wanted=$2
zpty -b shell zsh -f -i
zpty -w shell 'PS1=ready; unsetopt zle_bracketed_paste; autoload -Uz compinit && compinit -D -u; zstyle ":completion:*" menu no; setopt auto_list no_list_beep; source <(fluvio completions zsh); echo load""ed'
deadline=$((EPOCHSECONDS + 20))
said=
until [[ $said = *loaded* ]]; do
    (( EPOCHSECONDS < deadline )) || { print -r -- "not loaded: $said"; exit 1 }
    zpty -rt shell part && said+=$part || sleep 0.02
done
said=
zpty -wn shell "$line"$'\t'
until [[ $said = $~wanted ]]; do
    (( EPOCHSECONDS < deadline )) || { print -r -- "instead of $wanted: ${(q)said}"; exit 1 }
    zpty -rt shell part && said+=$part || sleep 0.02
done
print -r -- "$said"
zpty -d shell
