// YAML in and out. A YAML document becomes JSON text plus the position of each of its nodes, so
// that one decoder (reflect/json.h) serves both formats and still names lines; JSON text becomes
// the YAML that kubectl -o yaml prints.
//
// Reading follows sigs.k8s.io/yaml v1.6 over go.yaml.in/yaml/v2, which upstream's clients and API
// server use: YAML 1.1 scalars (yes, on, 0644, 1_000, 0x1F), merge keys, keys of other types turned
// into strings. A stream is split into documents as kubectl splits it (apimachinery's YAMLReader).
//
// Hostile input costs bounded time and memory: size, depth, nodes and what aliases may expand to
// are limited, and nothing here recurses deeper than the depth limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reflect/field_path.h"
#include "reflect/json.h"
#include "reflect/json_locator.h"
#include "reflect/json_value.h"
#include "reflect/position.h"

namespace podium::reflect {

struct YamlFailure;

struct YamlReadOptions {
  // Bytes of the whole stream. The API server takes 3 MiB a request; dumps of whole clusters are
  // larger.
  size_t max_size = size_t{64} << 20;
  // Nesting, aliases followed; the same limit as DecodeOptions::max_depth.
  size_t max_depth = 1000;
  // Nodes of one document before aliases are followed; a node takes 48 bytes.
  size_t max_nodes = size_t{4} << 20;
  // Bytes of JSON that aliases may add to one document. Beside it stands go-yaml's own rule: of the
  // nodes visited at most 99% may come from aliases, and less in documents of over 400,000.
  size_t max_alias_bytes = size_t{8} << 20;
  // Off saves the position map.
  bool positions = true;
};

// A key that a mapping has twice. The JSON text has it twice as well, unless one of the two came
// through a merge key.
struct YamlDuplicate {
  std::string key;  // as upstream prints it: "a" with its quotes, 1, true
  Position position;
  size_t offset = 0;   // of the key in the JSON text
  int value_line = 0;  // the line that upstream's message names
};

struct YamlDocument {
  std::string json;
  // Offsets in `json` of each key and each value.
  PositionMap positions;
  // Where the document's content starts.
  Position start;
  std::vector<YamlDuplicate> duplicates;

  // Upstream's strict reader on the duplicates: "yaml: unmarshal errors:\n  line 3: key \"a\"
  // already set in map"; empty when there are none.
  std::string DuplicatesMessage() const;
};

// Reads the documents of a stream one by one. The text must outlive the reader.
class YamlReader {
 public:
  explicit YamlReader(std::string_view text, const YamlReadOptions& options = {});
  ~YamlReader();

  // Reads the next document into *document. False at the end of the stream. Documents that are
  // empty or null are passed over, as kubectl does.
  //
  // kInvalidArgument for what is no YAML or has no JSON form, kResourceExhausted at a limit. The
  // message is upstream's ("yaml: line 3: mapping values are not allowed in this context"); its
  // line counts as upstream's does, within the document and sometimes one too low, so people are
  // better shown problem() and error_position(). The next call goes on behind the next separator.
  Result<bool> Next(YamlDocument* document);

  // After an error of Next: where it is in the stream, and the message without "yaml: line N: ".
  Position error_position() const { return error_position_; }
  const std::string& problem() const { return problem_; }

 private:
  struct State;

  Result<bool> Fail(YamlFailure failure);

  std::unique_ptr<State> state_;
  Position error_position_;
  std::string problem_;
};

// The first document of a text, as upstream's YAMLToJSON reads a request's body: no splitting, and
// what comes behind is not looked at. "null" when there is none. Errors as of YamlReader::Next.
Result<YamlDocument> YamlToJson(std::string_view yaml, const YamlReadOptions& options = {});

// Where the fields of one document stand in its source. The document must outlive this.
class YamlFields {
 public:
  struct Place {
    Position key;  // of an element of a list, and of the whole document: the same as value
    Position value;
    // False when the document has no such field; this is then its nearest ancestor that is there.
    bool exact = false;
    // What to point people at: a scalar itself, but the key of an object or a list.
    Position best;
  };

  explicit YamlFields(const YamlDocument& document);

  // As JsonLocator::Locate. A member that came through an alias or a merge key stands where it was
  // written.
  Place Locate(const FieldPath& path) const { return ToPlace(locator_.Locate(path)); }
  Place Locate(std::string_view path) const { return ToPlace(locator_.Locate(path)); }

 private:
  Place ToPlace(const JsonPlace& place) const;

  const YamlDocument& document_;
  JsonLocator locator_;
};

// A problem of decoding, and where it is in the YAML.
struct YamlProblem {
  Problem problem;
  Position position;  // of the key (unknown, duplicate) or the value
};

// Decodes a document as DecodeJson does, into *object of `type`. When strict, keys that come twice
// are named wherever they are, in untyped parts and through merge keys as well. In the order of the
// source.
[[nodiscard]] std::vector<YamlProblem> DecodeYaml(const YamlDocument& document, const Type& type,
                                                  void* object, const DecodeOptions& options = {});

// Whether the text is to be read as JSON rather than YAML: its first character is '{', as upstream
// decides.
bool LooksLikeJson(std::string_view text);

struct YamlWriteOptions {
  // Keys in upstream's order, which is natural ("port2" before "port10"). Off keeps the order.
  bool sort_keys = true;
  // Strings in one line are folded at spaces once they pass this column, as upstream; 0 never.
  int fold_width = 80;
};

// Appends the YAML of a JSON text, which ends with a line break. Differs from upstream only where
// upstream's own output would not read back as the same value: the key "<<", and strings with
// U+0085, U+2028 or U+2029.
Result<void> JsonToYaml(std::string_view json, std::string* out,
                        const YamlWriteOptions& options = {});
void WriteYaml(const JsonValue& value, std::string* out, const YamlWriteOptions& options = {});

}  // namespace podium::reflect
