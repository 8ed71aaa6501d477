#include "command/completion_command.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "command/type_selection.h"

namespace keyvigil {
namespace {

struct CommandWords {
  std::string path;  // "detect", "intel check"
  std::string words;
};

std::string words_of(const CLI::App& command) {
  std::string words;
  for (const CLI::App* below : command.get_subcommands([](const CLI::App*) { return true; })) {
    words += below->get_name() + " ";
  }
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) { words += "--" + name + " "; }
  }
  return words;
}

void collect(const CLI::App& command, const std::string& path, std::vector<CommandWords>& out) {
  out.push_back({path, words_of(command)});
  for (const CLI::App* below : command.get_subcommands([](const CLI::App*) { return true; })) {
    collect(*below, path.empty() ? below->get_name() : path + " " + below->get_name(), out);
  }
}

std::string bash_script(const std::vector<CommandWords>& commands) {
  std::string out =
      "_keyvigil() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} path='' word\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \"$path $word\" in\n";
  for (const CommandWords& command : commands) {
    if (command.path.empty()) { continue; }
    const std::size_t blank = command.path.rfind(' ');
    const std::string above = blank == std::string::npos ? "" : command.path.substr(0, blank);
    const std::string name = blank == std::string::npos ? command.path : command.path.substr(blank + 1);
    out += fmt::format("      '{} {}') path='{}' ;;\n", above, name, command.path);
  }
  out +=
      "    esac\n"
      "  done\n"
      "  local words=''\n"
      "  case \"$path\" in\n";
  for (const CommandWords& command : commands) {
    out += fmt::format("    '{}') words='{}' ;;\n", command.path, command.words);
  }
  out += "  esac\n";
  out += fmt::format(
      "  if [[ ${{COMP_WORDS[COMP_CWORD-1]}} == --only ]]; then\n"
      "    COMPREPLY=($(compgen -W '{}' -- \"$current\"))\n",
      fmt::join(alert_type_names(), " "));
  out +=
      "  elif [[ $current == -* || -z $path || $path == intel ]]; then\n"
      "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "  else\n"
      "    COMPREPLY=($(compgen -f -- \"$current\"))\n"
      "  fi\n"
      "}\n"
      "complete -o filenames -F _keyvigil keyvigil\n";
  return out;
}

std::string fish_script(const std::vector<CommandWords>& commands) {
  std::string out;
  for (const CommandWords& command : commands) {
    const std::string seen = command.path.substr(command.path.rfind(' ') + 1);
    const std::string condition =
        command.path.empty() ? "__fish_use_subcommand" : fmt::format("__fish_seen_subcommand_from {}", seen);
    std::string word;
    for (const char c : command.words) {
      if (c != ' ') {
        word += c;
        continue;
      }
      if (word == "--only") {
        out += fmt::format("complete -c keyvigil -n '{}' -l only -x -a '{}'\n", condition,
                           fmt::join(alert_type_names(), " "));
        word.clear();
        continue;
      }
      out += word.starts_with("--") ? fmt::format("complete -c keyvigil -n '{}' -l {}\n", condition, word.substr(2))
                                    : fmt::format("complete -c keyvigil -n '{}' -f -a {}\n", condition, word);
      word.clear();
    }
  }
  return out;
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
  std::vector<CommandWords> commands;
  collect(app, "", commands);
  if (shell == "fish") { return fish_script(commands); }
  // zsh runs bash's completions.
  return (shell == "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : "") + bash_script(commands);
}

}  // namespace keyvigil
