#!/usr/bin/env python3
"""Makes man pages, completions and the package's papers, so that none of them can drift: the
commands come from `geotally --help`, the keys from the table in lib/config.

usage: generate.py GEOTALLY KEYS SCDOC SOURCE_DIR OUTPUT_DIR
"""
import gzip
import pathlib
import re
import subprocess
import sys


def output(*command, **arguments):
    return subprocess.run(command, check=True, capture_output=True, text=True, **arguments).stdout


def escaped(text):
    return re.sub(r"([\\_*<#])", r"\\\1", text)


def commands_of(program):
    """[(name, what it does, [(names, placeholder, help)])], read from the program's own help."""
    listed = output(program, "--help").split("Subcommands:\n")[1]
    commands = []
    for name, summary in re.findall(r"^  (\S+)\s+(.*)$", listed, re.M):
        text = output(program, name, "--help")
        usage = re.search(rf"^Usage: \S+ {re.escape(name)}(.*)$", text, re.M)[1]
        # A name that is too long for its column has its text on the next line.
        text = re.sub(r"^(  \S.*\S)\n {20,}(?=\S)", r"\1   ", text, flags=re.M)
        options = []
        for names, value, help_text in re.findall(
                r"^  (-\S+)((?: \S+)*?)(?: {2,}(\S.*))?$", text, re.M):
            options.append((names.split(","), value.strip(), help_text))
        commands.append((name, summary, usage.strip(), options))
    return commands


def manual(commands):
    lines = []
    for name, summary, usage, options in commands:
        lines += [f"## {name}", "", f"*geotally {escaped(name)}* {escaped(usage)}", "", escaped(summary) + ".", ""]
        for names, value, help_text in options:
            if "--help" in names:
                continue
            lines += [f"*{escaped(', '.join(names))}* {escaped(value)}".rstrip(),
                      f"\t{escaped(help_text)}.", ""]
    return "\n".join(lines)


def long_names(options):
    return [name for names, _, _ in options for name in names if name.startswith("--")]


def bash(commands):
    cases = "\n".join(f"    {name}) words='{' '.join(long_names(options))}' ;;"
                      for name, _, _, options in commands)
    return f"""# Completion of geotally(8) for bash.
_geotally() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} words
  case $previous in
    --config|--table|--data-dir|--backup-dir|--into)
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return ;;
  esac
  case ${{COMP_WORDS[1]}} in
{cases}
    *) words='--help' ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='{' '.join(command[0] for command in commands)} --help'
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -o default -F _geotally geotally
"""


def quoted(text):
    return text.replace("'", "’").replace("[", "(").replace("]", ")").replace(":", " -")


def zsh(commands):
    listed = "\n".join(f"    '{name}:{quoted(summary)}'" for name, summary, _, _ in commands)
    cases = ""
    for name, _, _, options in commands:
        specs = " ".join(
            f"'{long_names([option])[0]}[{quoted(option[2])}]" +
            (":value:_files'" if option[1] else "'")
            for option in options if long_names([option]))
        cases += f"    {name}) _arguments {specs} '*:file:_files' ;;\n"
    return f"""#compdef geotally
_geotally() {{
  local -a commands
  commands=(
{listed}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
{cases}  esac
}}
_geotally "$@"
"""


def fish(commands):
    lines = ["# Completion of geotally(8) for fish."]
    for name, summary, _, options in commands:
        lines.append(f"complete -c geotally -n __fish_use_subcommand -f -a {name} -d '{quoted(summary)}'")
        for option in options:
            for long_name in long_names([option]):
                lines.append(f"complete -c geotally -n '__fish_seen_subcommand_from {name}' "
                             f"-l {long_name[2:]}{' -r' if option[1] else ''} -d '{quoted(option[2])}'")
    return "\n".join(lines) + "\n"


def main():
    program, keys, scdoc = sys.argv[1:4]
    source, made = map(pathlib.Path, sys.argv[4:6])
    commands = commands_of(program)

    def put(name, text):
        if name.endswith(".gz"):
            (made / name).write_bytes(gzip.compress(text.encode(), 9, mtime=0))
        else:
            (made / name).write_text(text)

    for page, mark, text in (("geotally.8", "@COMMANDS@", manual(commands)),
                             ("geotally.toml.5", "@KEYS@", output(keys))):
        page_source = (source / f"{page}.scd").read_text().replace(mark, text)
        put(f"{page}.gz", output(scdoc, input=page_source))
    put("geotally.bash", bash(commands))
    put("geotally.zsh", zsh(commands))
    put("geotally.fish", fish(commands))
    put("changelog.gz", (made / "changelog").read_text())
    notice = source.parents[1] / "lib/geo/data/NOTICE"
    put("copyright", (source / "copyright.head").read_text() + "\n" + notice.read_text())


if __name__ == "__main__":
    main()
