#include "api/validation/harness.h"

#include <algorithm>
#include <cstdlib>

namespace podium::api {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view json) : json_(json) {}

  JsonTree Value() {
    SkipSpace();
    JsonTree tree;
    if (json_[at_] == '{') {
      tree.kind = JsonTree::Kind::kObject;
      Members('}', [&] {
        std::string key = Unescaped(Scalar());
        SkipSpace();
        ++at_;  // the colon
        tree.members.emplace_back(std::move(key), Value());
      });
    } else if (json_[at_] == '[') {
      tree.kind = JsonTree::Kind::kArray;
      Members(']', [&] { tree.items.push_back(Value()); });
    } else {
      tree.text = Scalar();
    }
    return tree;
  }

  static std::string Unescaped(std::string_view quoted) {
    std::string out;
    for (size_t i = 1; i + 1 < quoted.size(); ++i) {
      if (quoted[i] != '\\') {
        out += quoted[i];
        continue;
      }
      const char c = quoted[++i];
      if (c == 'u') {
        // The tests' data escapes ASCII only.
        out += static_cast<char>(
            std::strtol(std::string(quoted.substr(i + 1, 4)).c_str(), nullptr, 16));
        i += 4;
      } else {
        out += c == 'n' ? '\n' : c == 't' ? '\t' : c;
      }
    }
    return out;
  }

 private:
  template <class Read>
  void Members(char end, Read read) {
    ++at_;
    for (SkipSpace(); json_[at_] != end; SkipSpace()) {
      if (json_[at_] == ',') ++at_;
      SkipSpace();
      read();
    }
    ++at_;
  }

  std::string Scalar() {
    SkipSpace();
    const size_t start = at_;
    if (json_[at_] == '"') {
      for (++at_; json_[at_] != '"'; ++at_) {
        if (json_[at_] == '\\') ++at_;
      }
      ++at_;
    } else {
      at_ = std::min(json_.find_first_of(",]} \n\t", at_), json_.size());
    }
    return std::string(json_.substr(start, at_ - start));
  }

  void SkipSpace() { at_ = std::min(json_.find_first_not_of(" \n\t\r", at_), json_.size()); }

  std::string_view json_;
  size_t at_ = 0;
};

std::string Quoted(std::string_view text) {
  std::string out;
  reflect::AppendJsonString(text, &out);
  return out;
}

// One step of a path: a key, or an index.
struct Step {
  std::string key;
  size_t index = 0;
  bool is_index = false;
};

std::vector<Step> ParsePath(std::string_view path) {
  std::vector<Step> steps;
  while (!path.empty()) {
    if (path.starts_with("['")) {
      const size_t end = path.find("']");
      steps.push_back({.key = std::string(path.substr(2, end - 2))});
      path.remove_prefix(end + 2);
    } else if (path.starts_with('[')) {
      const size_t end = path.find(']');
      steps.push_back(
          {.index = static_cast<size_t>(std::atoi(std::string(path.substr(1, end - 1)).c_str())),
           .is_index = true});
      path.remove_prefix(end + 1);
    } else {
      const size_t start = path[0] == '.' ? 1 : 0;
      const size_t end = std::min(path.find_first_of(".[", start), path.size());
      steps.push_back({.key = std::string(path.substr(start, end - start))});
      path.remove_prefix(end);
    }
  }
  return steps;
}

// The place a step leads to, made if missing.
JsonTree& At(JsonTree& tree, const Step& step) {
  if (step.is_index) {
    tree.kind = JsonTree::Kind::kArray;
    if (step.index >= tree.items.size()) tree.items.resize(step.index + 1);
    return tree.items[step.index];
  }
  tree.kind = JsonTree::Kind::kObject;
  const auto found =
      std::ranges::find(tree.members, step.key, &std::pair<std::string, JsonTree>::first);
  if (found != tree.members.end()) return found->second;
  return tree.members.emplace_back(step.key, JsonTree()).second;
}

void Apply(JsonTree& tree, std::string_view edit) {
  // Quotes of a key may hold an equals sign; no test's key does.
  const size_t equals = edit.find('=');
  std::vector<Step> steps = ParsePath(edit.substr(0, equals));
  const Step last = steps.back();
  steps.pop_back();
  JsonTree* parent = &tree;
  for (const Step& step : steps) parent = &At(*parent, step);
  if (equals != edit.npos) {
    At(*parent, last) = JsonTree::Parse(edit.substr(equals + 1));
  } else if (last.is_index) {
    parent->items.erase(parent->items.begin() + static_cast<ptrdiff_t>(last.index));
  } else {
    std::erase_if(parent->members, [&](const auto& member) { return member.first == last.key; });
  }
}

}  // namespace

JsonTree JsonTree::Parse(std::string_view json) { return Parser(json).Value(); }

std::string JsonTree::Text() const {
  if (kind == Kind::kScalar) return text;
  std::string out;
  const auto separate = [&] { out += out.empty() ? "" : ","; };
  for (const auto& [key, value] : members) {
    separate();
    out += Quoted(key) + ":" + value.Text();
  }
  for (const JsonTree& item : items) {
    separate();
    out += item.Text();
  }
  return kind == Kind::kObject ? "{" + out + "}" : "[" + out + "]";
}

const JsonTree* JsonTree::Find(std::string_view key) const {
  const auto found = std::ranges::find(members, key, &std::pair<std::string, JsonTree>::first);
  return found == members.end() ? nullptr : &found->second;
}

std::string JsonTree::String() const { return Parser::Unescaped(text); }

std::string Edited(std::string_view json, const std::vector<std::string>& edits) {
  JsonTree tree = JsonTree::Parse(json);
  for (const std::string& edit : edits) Apply(tree, edit);
  return tree.Text();
}

}  // namespace podium::api
