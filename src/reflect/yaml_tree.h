// The nodes of one YAML document, composed from libyaml's events. Only yaml_*.cpp use this.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "reflect/yaml.h"
#include "reflect/yaml_scalar.h"

namespace podium::reflect {

struct YamlFailure {
  Code code = Code::kInvalidArgument;
  std::string problem;
  Position position;  // in the whole text
  // What upstream's message says before the problem.
  enum class Prefix { kNone, kYaml, kYamlLine } prefix = Prefix::kYaml;
  int line = 0;  // kYamlLine: as upstream counts it

  // "yaml: line 3: did not find expected key".
  std::string Message() const;
};

struct YamlNode {
  enum class Kind : uint8_t { kScalar, kSequence, kMapping, kAlias };

  Kind kind = Kind::kScalar;
  YamlTag tag = YamlTag::kNone;  // of scalars; nothing reads the tags of containers
  bool plain = false;            // a scalar without quotes
  bool open = false;             // being written; an alias to it would never end
  uint32_t line = 0;             // from 1, in the whole text
  uint32_t column = 0;
  uint32_t text = 0;  // a scalar's value, an alias's name: offset in YamlTree::texts
  uint32_t text_size = 0;
  uint32_t target = 0;       // of an alias
  uint32_t first_child = 0;  // 0: none, as the root is no child; keys and values take turns
  uint32_t next = 0;         // the next sibling

  Position position() const { return {static_cast<int>(line), static_cast<int>(column)}; }
};

struct YamlTree {
  std::vector<YamlNode> nodes;  // the root is nodes[0]
  std::string texts;

  std::string_view text(const YamlNode& node) const {
    return std::string_view(texts).substr(node.text, node.text_size);
  }
};

// libyaml's parser over one text. Composing uses no stack, whatever the depth.
class YamlStream {
 public:
  // `lines_before`: lines of the whole text that stand before this part of it. The text and the
  // options must outlive the stream.
  YamlStream(std::string_view text, int lines_before, const YamlReadOptions& options);
  ~YamlStream();

  // Reads the next document into *tree, whose old content is dropped. False at the end and on
  // failure; after a failure nothing more can be read.
  bool ReadDocument(YamlTree* tree);
  const std::optional<YamlFailure>& failure() const { return failure_; }

 private:
  struct Parser;
  class Event;
  struct Frame {
    uint32_t node;
    uint32_t last_child;
  };

  // False when the document or the stream ended, or failed.
  bool Step(const Event& event, YamlTree* tree);
  bool AddNode(YamlNode node, std::string_view anchor, YamlTree* tree);
  bool Fail(Code code, std::string problem, Position position);
  bool FailFromParser();
  bool CheckDirectives();

  std::unique_ptr<Parser> parser_;
  std::string_view text_;
  int lines_before_;
  const YamlReadOptions& options_;
  std::vector<Frame> open_;
  std::unordered_map<std::string, uint32_t> anchors_;
  bool in_document_ = false;
  std::optional<YamlFailure> failure_;
};

// Writes the tree as JSON into document->json and fills in the rest of *document. The flags of the
// nodes are used, their content is not changed.
std::optional<YamlFailure> ConvertYamlTree(YamlTree* tree, const YamlReadOptions& options,
                                           YamlDocument* document);

// A node as Go prints it with %#v, which is how upstream names a key that is no scalar:
// map[interface {}]interface {}{"a":1}. Cut off after some hundred characters.
std::string ShowAsGo(const YamlTree& tree, uint32_t index);

// Appends `text` as a Go string literal, quotes included.
void AppendGoString(std::string_view text, std::string* out);

}  // namespace podium::reflect
