# Completion of camera-service for bash.
_camera_service() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words
  case $before in
    --config | --token-file | --bundle | -o | --output)
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return
      ;;
    --role)
      mapfile -t COMPREPLY < <(compgen -W "viewer operator admin" -- "$word")
      return
      ;;
  esac
  case ${COMP_WORDS[1]} in
    backup | restore)
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return
      ;;
  esac
  words=$(camera-service complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _camera_service camera-service
