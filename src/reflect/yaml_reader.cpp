#include <algorithm>
#include <memory>

#include "reflect/yaml.h"
#include "reflect/yaml_tree.h"

namespace podium::reflect {
namespace {

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

std::string YamlDocument::DuplicatesMessage() const {
  if (duplicates.empty()) return {};
  std::string out = "yaml: unmarshal errors:";
  for (const YamlDuplicate& duplicate : duplicates) {
    out += "\n  line " + std::to_string(duplicate.value_line) + ": key " + duplicate.key +
           " already set in map";
  }
  return out;
}

// The state behind YamlReader's interface.
struct YamlReader::State {
  std::string_view text;
  YamlReadOptions options;
  size_t at = 0;  // behind what was split off
  int line = 0;   // lines before `at`
  bool started = false;
  bool skipping = false;  // to the next separator, behind one with content
  std::string last_chunk;
  std::unique_ptr<YamlStream> stream;
  YamlTree tree;

  // A line of the text, its break included.
  std::string_view PeekLine() const {
    const size_t end = text.find('\n', at);
    return text.substr(at, end == text.npos ? text.npos : end + 1 - at);
  }
  void TakeLine(std::string_view taken) {
    at += taken.size();
    ++line;
  }
  bool NextChunk(std::string_view* chunk, int* lines_before, std::optional<YamlFailure>* failure);
};

// Splits as apimachinery's YAMLReader: at lines that start with "---" and hold nothing else but a
// comment. One thing it does not do: a document may have directives, whose separator is then its
// own.
bool YamlReader::State::NextChunk(std::string_view* chunk, int* lines_before,
                                  std::optional<YamlFailure>* failure) {
  const size_t start = at;
  *lines_before = line;
  bool only_head = true;  // comments, blank lines and directives
  bool directives = false;
  while (at < text.size()) {
    const std::string_view taken = PeekLine();
    if (!taken.starts_with("---")) {
      TakeLine(taken);
      if (taken.starts_with('%')) {
        directives = true;
      } else if (!taken.starts_with('#') && !Trim(taken).empty()) {
        only_head = false;
      }
      continue;
    }
    const std::string_view rest = Trim(taken.substr(3));
    const bool is_separator = rest.empty() || rest.starts_with('#');
    if (!is_separator && at != start) break;
    const size_t end = at;
    TakeLine(taken);
    if (!is_separator) {
      failure->emplace();
      (*failure)->problem = "invalid Yaml document separator: " + std::string(rest);
      (*failure)->prefix = YamlFailure::Prefix::kNone;
      (*failure)->position = {line, 1};
      skipping = true;
      return false;
    }
    // As upstream, a separator ends what is before it; with nothing before it, it is the start of
    // its document.
    if (end != start && !(only_head && directives)) {
      *chunk = text.substr(start, end - start);
      return true;
    }
    only_head = false;
  }
  *chunk = text.substr(start, at - start);
  return !chunk->empty();
}

YamlReader::YamlReader(std::string_view text, const YamlReadOptions& options)
    : state_(std::make_unique<State>()) {
  state_->text = text;
  state_->options = options;
}

YamlReader::~YamlReader() = default;

Result<bool> YamlReader::Fail(YamlFailure failure) {
  // At the end of a text without a last line break libyaml begins a line of its own.
  const Position end = LineIndex(state_->text).At(state_->text.size());
  error_position_ = failure.position.line > end.line ? end : failure.position;
  std::string message = failure.Message();
  problem_ = std::move(failure.problem);
  state_->stream.reset();
  return Error(failure.code, std::move(message));
}

Result<bool> YamlReader::Next(YamlDocument* document) {
  State& state = *state_;
  if (state.text.size() > state.options.max_size) {
    state.text = {};
    YamlFailure failure;
    failure.code = Code::kResourceExhausted;
    failure.problem = "more than " + std::to_string(state.options.max_size) + " bytes";
    return Fail(std::move(failure));
  }
  for (;;) {
    if (!state.stream) {
      std::string_view chunk;
      int lines_before = 0;
      std::optional<YamlFailure> failure;
      if (state.skipping) {
        // What stands behind a separator with content belongs to no document that can be read.
        state.skipping = false;
        while (state.at < state.text.size() && !state.PeekLine().starts_with("---")) {
          state.TakeLine(state.PeekLine());
        }
      }
      if (!state.NextChunk(&chunk, &lines_before, &failure)) {
        if (failure) return Fail(*std::move(failure));
        return false;
      }
      // Upstream's reader of lines ends the last one too, which a literal at the end can see.
      if (!chunk.ends_with('\n')) {
        state.last_chunk.assign(chunk).push_back('\n');
        chunk = state.last_chunk;
      }
      state.stream = std::make_unique<YamlStream>(chunk, lines_before, state.options);
    }
    if (!state.stream->ReadDocument(&state.tree)) {
      if (state.stream->failure()) return Fail(*state.stream->failure());
      state.stream.reset();
      continue;
    }
    if (auto failure = ConvertYamlTree(&state.tree, state.options, document)) {
      return Fail(*std::move(failure));
    }
    if (document->json != "null") return true;
  }
}

Result<YamlDocument> YamlToJson(std::string_view yaml, const YamlReadOptions& options) {
  const auto fail = [](const YamlFailure& failure) {
    return Error(failure.code, failure.Message());
  };
  YamlFailure failure;
  if (yaml.size() > options.max_size) {
    failure.code = Code::kResourceExhausted;
    failure.problem = "more than " + std::to_string(options.max_size) + " bytes";
    return fail(failure);
  }
  YamlStream stream(yaml, 0, options);
  YamlTree tree;
  YamlDocument document;
  document.json = "null";
  if (stream.ReadDocument(&tree)) {
    if (auto problem = ConvertYamlTree(&tree, options, &document)) return fail(*problem);
  } else if (stream.failure()) {
    return fail(*stream.failure());
  }
  return document;
}

bool LooksLikeJson(std::string_view text) { return Trim(text).starts_with('{'); }

}  // namespace podium::reflect
