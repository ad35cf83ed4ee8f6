// Values in Go's syntax, for upstream's messages about keys.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "reflect/number_text.h"
#include "reflect/utf8.h"
#include "reflect/yaml_tree.h"

namespace podium::reflect {
namespace {

constexpr size_t kMaxDepth = 20;

class GoPrinter {
 public:
  GoPrinter(const YamlTree& tree, size_t* budget, std::string* out)
      : tree_(tree), budget_(*budget), out_(*out) {}

  void Print(uint32_t index, size_t depth) {
    const YamlNode* node = &tree_.nodes[index];
    if (node->kind == YamlNode::Kind::kAlias) node = &tree_.nodes[node->target];
    if (!Spend(1) || depth > kMaxDepth) {
      out_ += "...";
    } else if (node->kind == YamlNode::Kind::kScalar) {
      PrintScalar(*node);
    } else if (node->kind == YamlNode::Kind::kSequence) {
      PrintSequence(*node, depth);
    } else {
      PrintMapping(*node, depth);
    }
  }

 private:
  bool Spend(size_t amount) {
    if (budget_ < amount) return false;
    budget_ -= amount;
    return true;
  }

  void PrintScalar(const YamlNode& node) {
    std::string_view text = tree_.text(node);
    if (!Spend(text.size())) text = "...";
    YamlTag found = YamlTag::kString;
    std::optional<YamlScalar> scalar;
    if (node.tag != YamlTag::kNone || node.plain)
      scalar = ResolveYamlScalar(node.tag, text, &found);
    switch (scalar.value_or(YamlScalar{}).type) {
      case YamlScalar::Type::kNull:
        out_ += "interface {}(nil)";
        break;
      case YamlScalar::Type::kBool:
        out_ += scalar->boolean ? "true" : "false";
        break;
      case YamlScalar::Type::kInt:
        out_ += std::to_string(scalar->integer);
        break;
      case YamlScalar::Type::kUint:
        out_ += fmt::format("{:#x}", scalar->unsigned_integer);
        break;
      case YamlScalar::Type::kFloat:
        AppendFloatGeneral(scalar->floating, &out_);
        break;
      case YamlScalar::Type::kString:
        AppendGoString(text, &out_);
        break;
    }
  }

  void PrintSequence(const YamlNode& node, size_t depth) {
    out_ += "[]interface {}{";
    for (uint32_t child = node.first_child; child != 0 && budget_ > 0;
         child = tree_.nodes[child].next) {
      if (child != node.first_child) out_ += ", ";
      Print(child, depth + 1);
    }
    out_ += '}';
  }

  // Go prints maps in the order of their keys.
  void PrintMapping(const YamlNode& node, size_t depth) {
    std::vector<std::pair<std::string, uint32_t>> members;
    for (uint32_t key = node.first_child; key != 0 && budget_ > 0;) {
      const uint32_t value = tree_.nodes[key].next;
      std::string shown;
      GoPrinter(tree_, &budget_, &shown).Print(key, depth + 1);
      members.emplace_back(std::move(shown), value);
      key = tree_.nodes[value].next;
    }
    std::sort(members.begin(), members.end());
    out_ += "map[interface {}]interface {}{";
    for (size_t i = 0; i < members.size(); ++i) {
      if (i > 0) out_ += ", ";
      out_ += members[i].first;
      out_ += ':';
      Print(members[i].second, depth + 1);
    }
    out_ += '}';
  }

  const YamlTree& tree_;
  size_t& budget_;  // nodes and characters that may still be printed
  std::string& out_;
};

}  // namespace

std::string ShowAsGo(const YamlTree& tree, uint32_t index) {
  std::string out;
  size_t budget = 500;
  GoPrinter(tree, &budget, &out).Print(index, 0);
  return out;
}

void AppendGoString(std::string_view text, std::string* out) {
  static constexpr std::string_view kSpecial = "\a\b\f\n\r\t\v\\\"";
  static constexpr std::string_view kLetters = "abfnrtv\\\"";
  *out += '"';
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const size_t special = kSpecial.find(text[0]);
    const auto byte = static_cast<unsigned char>(text[0]);
    if (special != std::string_view::npos) {
      *out += '\\';
      *out += kLetters[special];
    } else if (length == 0 || byte < 0x20 || byte == 0x7F) {
      fmt::format_to(std::back_inserter(*out), "\\x{:02x}", byte);
    } else {
      out->append(text.substr(0, length));
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  *out += '"';
}

}  // namespace podium::reflect
