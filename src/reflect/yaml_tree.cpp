#include "reflect/yaml_tree.h"

#include <fmt/format.h>
#include <yaml.h>

#include <cstring>

namespace podium::reflect {
namespace {

std::string_view View(const yaml_char_t* text) {
  return text ? reinterpret_cast<const char*>(text) : "";
}

// libyaml compares each %TAG with all before it, and each tagged node with all of them.
constexpr int kMaxDirectives = 64;

}  // namespace

std::string YamlFailure::Message() const {
  switch (prefix) {
    case Prefix::kNone:
      return problem;
    case Prefix::kYaml:
      return "yaml: " + problem;
    case Prefix::kYamlLine:
      return fmt::format("yaml: line {}: {}", line, problem);
  }
  return problem;
}

struct YamlStream::Parser {
  yaml_parser_t raw;

  Parser() {
    if (!yaml_parser_initialize(&raw)) std::abort();  // out of memory
  }
  ~Parser() { yaml_parser_delete(&raw); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
};

class YamlStream::Event {
 public:
  Event() { std::memset(&raw, 0, sizeof raw); }
  ~Event() { yaml_event_delete(&raw); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  yaml_event_t raw;
};

YamlStream::YamlStream(std::string_view text, int lines_before, const YamlReadOptions& options)
    : parser_(std::make_unique<Parser>()),
      text_(text),
      lines_before_(lines_before),
      options_(options) {
  yaml_parser_set_input_string(&parser_->raw, reinterpret_cast<const unsigned char*>(text.data()),
                               text.size());
  // UTF-16 would pass the check of directives unseen, and kubectl cannot read it either.
  yaml_parser_set_encoding(&parser_->raw, YAML_UTF8_ENCODING);
  CheckDirectives();
}

YamlStream::~YamlStream() = default;

bool YamlStream::Fail(Code code, std::string problem, Position position) {
  failure_.emplace();
  failure_->code = code;
  failure_->problem = std::move(problem);
  failure_->position = position;
  return false;
}

bool YamlStream::CheckDirectives() {
  int directives = 0;
  bool at_head = true;  // directives stand only at the start and behind "..."
  int line_number = lines_before_;
  for (size_t at = 0; at < text_.size();) {
    const size_t end = std::min(text_.find('\n', at), text_.size());
    const std::string_view line = text_.substr(at, end - at);
    ++line_number;
    if (at_head && line.starts_with('%')) {
      if (++directives > kMaxDirectives) {
        return Fail(Code::kResourceExhausted, "too many directives", {line_number, 1});
      }
    } else if (line.starts_with("...")) {
      at_head = true;
      directives = 0;
    } else if (!line.starts_with('#') && line.find_first_not_of(" \t\r") != line.npos) {
      at_head = false;
    }
    at = end + 1;
  }
  return true;
}

bool YamlStream::FailFromParser() {
  const yaml_parser_t& parser = parser_->raw;
  YamlFailure failure;
  failure.problem = parser.problem ? parser.problem : "unknown problem parsing YAML content";
  if (parser.error == YAML_MEMORY_ERROR) {
    failure.code = Code::kResourceExhausted;
    failure.problem = "out of memory";
  } else if (parser.error == YAML_READER_ERROR) {
    const Position position = LineIndex(text_).At(parser.problem_offset);
    failure.position = {lines_before_ + position.line, position.column};
  } else {
    const yaml_mark_t& mark = parser.problem_mark;
    failure.position = {lines_before_ + static_cast<int>(mark.line) + 1,
                        static_cast<int>(mark.column) + 1};
    // go-yaml prints libyaml's line, which counts from zero, as it is, except for scanner errors.
    if (mark.line != 0) {
      failure.line = static_cast<int>(mark.line) + (parser.error == YAML_SCANNER_ERROR ? 1 : 0);
    } else {
      failure.line = static_cast<int>(parser.context_mark.line);
    }
    if (failure.line != 0) failure.prefix = YamlFailure::Prefix::kYamlLine;
  }
  failure_ = std::move(failure);
  return false;
}

bool YamlStream::ReadDocument(YamlTree* tree) {
  tree->nodes.clear();
  tree->texts.clear();
  anchors_.clear();
  open_.clear();
  in_document_ = true;
  while (in_document_ && !failure_) {
    Event event;
    if (!yaml_parser_parse(&parser_->raw, &event.raw)) return FailFromParser();
    if (!Step(event, tree)) return false;
  }
  return !failure_;
}

bool YamlStream::Step(const Event& event, YamlTree* tree) {
  const yaml_event_t& raw = event.raw;
  YamlNode node;
  node.line = static_cast<uint32_t>(lines_before_) + static_cast<uint32_t>(raw.start_mark.line) + 1;
  node.column = static_cast<uint32_t>(raw.start_mark.column) + 1;
  node.text = static_cast<uint32_t>(tree->texts.size());
  switch (raw.type) {
    case YAML_NO_EVENT:
    case YAML_STREAM_END_EVENT:
      return false;
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_START_EVENT:
      return true;
    case YAML_DOCUMENT_END_EVENT:
      in_document_ = false;
      return true;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
      open_.pop_back();
      return true;
    case YAML_SCALAR_EVENT: {
      const auto& scalar = raw.data.scalar;
      tree->texts.append(reinterpret_cast<const char*>(scalar.value), scalar.length);
      node.text_size = static_cast<uint32_t>(scalar.length);
      node.tag = ReadYamlTag(View(scalar.tag));
      node.plain = scalar.plain_implicit != 0;
      return AddNode(node, View(scalar.anchor), tree);
    }
    case YAML_ALIAS_EVENT: {
      const std::string name(View(raw.data.alias.anchor));
      const auto found = anchors_.find(name);
      if (found == anchors_.end()) {
        return Fail(Code::kInvalidArgument, fmt::format("unknown anchor '{}' referenced", name),
                    node.position());
      }
      node.kind = YamlNode::Kind::kAlias;
      node.target = found->second;
      tree->texts += name;
      node.text_size = static_cast<uint32_t>(name.size());
      return AddNode(node, "", tree);
    }
    case YAML_SEQUENCE_START_EVENT:
      node.kind = YamlNode::Kind::kSequence;
      return AddNode(node, View(raw.data.sequence_start.anchor), tree);
    case YAML_MAPPING_START_EVENT:
      node.kind = YamlNode::Kind::kMapping;
      return AddNode(node, View(raw.data.mapping_start.anchor), tree);
  }
  return false;
}

bool YamlStream::AddNode(YamlNode node, std::string_view anchor, YamlTree* tree) {
  if (tree->nodes.size() >= options_.max_nodes) {
    return Fail(Code::kResourceExhausted, fmt::format("more than {} nodes", options_.max_nodes),
                node.position());
  }
  const auto index = static_cast<uint32_t>(tree->nodes.size());
  tree->nodes.push_back(node);
  if (!open_.empty()) {
    Frame& parent = open_.back();
    if (parent.last_child == 0) {
      tree->nodes[parent.node].first_child = index;
    } else {
      tree->nodes[parent.last_child].next = index;
    }
    parent.last_child = index;
  }
  if (!anchor.empty()) anchors_[std::string(anchor)] = index;
  if (node.kind == YamlNode::Kind::kSequence || node.kind == YamlNode::Kind::kMapping) {
    if (open_.size() >= options_.max_depth) {
      return Fail(Code::kResourceExhausted,
                  fmt::format("exceeded max depth of {}", options_.max_depth), node.position());
    }
    open_.push_back({index, 0});
  }
  return true;
}

}  // namespace podium::reflect
