// Any bytes as a manifest: reading, defaulting and validating it ends in bounded time and memory,
// and every finding says what is wrong and where.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "cli/check.h"
#include "cli/text.h"
#include "fuzz/require.h"

using namespace podium::cli;  // NOLINT: a fuzz target
using podium::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto lines = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
  DocumentReader reader(text);
  Document document;
  for (size_t documents = 0; reader.Next(&document); ++documents) {
    Require(documents <= 2 * size + 2);
    CheckResult result;
    CheckDocument(document, {}, &result);
    int last_line = 0;
    for (const Finding& finding : result.findings) {
      Require(!finding.reason.empty() && !finding.message.empty());
      Require(finding.position.line >= std::max(1, last_line));
      // YAML has line breaks of other kinds as well.
      Require(finding.position.line <= lines || text.find_first_of("\r\x85\xe2") != text.npos);
      Require(Printable(finding.Text()).find('\n') == std::string::npos);
      last_line = finding.position.line;
    }
  }
  return 0;
}
