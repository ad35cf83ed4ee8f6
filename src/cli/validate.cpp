#include <utility>

#include "cli/check.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/text.h"
#include "reflect/json_value.h"
#include "reflect/protobuf.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

struct FileFinding {
  std::string file;
  size_t document = 0;  // in the file, from 1; 0: of the file as a whole
  Finding finding;
};

struct Report {
  size_t files = 0;
  size_t objects = 0;
  size_t ignored = 0;
  std::vector<FileFinding> findings;

  void AddFileError(const std::string& file, const std::string& message) {
    findings.push_back(
        {DisplayName(file), 0, {.position = {}, .reason = "Unreadable", .message = message}});
  }
};

void CheckFile(const std::string& file, const CheckOptions& options, Report* report) {
  const Result<std::string> text = ReadInput(file);
  if (!text.ok()) {
    report->AddFileError(file, text.error().message());
    return;
  }
  ++report->files;
  if (reflect::HasEnvelope(*text)) {
    report->AddFileError(file, "is protobuf, which has no lines; see podium convert");
    return;
  }
  DocumentReader reader(*text);
  Document document;
  while (reader.Next(&document)) {
    CheckResult result;
    CheckDocument(document, options, &result);
    report->objects += result.objects;
    report->ignored += result.ignored;
    for (Finding& finding : result.findings) {
      report->findings.push_back({DisplayName(file), document.number, std::move(finding)});
    }
  }
}

// "2 files, 3 objects: no problems"
std::string Summary(const Report& report) {
  std::string out = Count(report.files, "file") + ", " + Count(report.objects, "object");
  if (report.ignored > 0) out += " and " + std::to_string(report.ignored) + " of unknown kinds";
  return out + ": " +
         (report.findings.empty() ? "no problems" : Count(report.findings.size(), "problem"));
}

// The compiler's form, which editors know: FILE:LINE:COLUMN: what is wrong.
std::string TextReport(const Report& report) {
  std::string out;
  for (const FileFinding& found : report.findings) {
    out += Printable(found.file);
    if (const reflect::Position& at = found.finding.position; at.line > 0) {
      out += ':' + std::to_string(at.line) + ':' + std::to_string(at.column);
    }
    out += ": " + Printable(found.finding.Text()) + '\n';
  }
  return out + Summary(report) + '\n';
}

JsonValue Number(size_t number) { return JsonValue::Number(std::to_string(number)); }

void SetText(JsonValue* object, std::string_view key, const std::string& text) {
  if (!text.empty()) object->Set(key, JsonValue::String(text));
}

JsonValue ToJson(const FileFinding& found) {
  const Finding& finding = found.finding;
  JsonValue out = JsonValue::Of(JsonValue::Object());
  SetText(&out, "file", found.file);
  if (finding.position.line > 0) {
    out.Set("line", Number(static_cast<size_t>(finding.position.line)));
    out.Set("column", Number(static_cast<size_t>(finding.position.column)));
  }
  if (found.document > 0) out.Set("document", Number(found.document));
  SetText(&out, "apiVersion", finding.object.api_version);
  SetText(&out, "kind", finding.object.kind);
  SetText(&out, "namespace", finding.object.namespace_);
  SetText(&out, "name", finding.object.name);
  SetText(&out, "field", finding.path);
  SetText(&out, "reason", finding.reason);
  SetText(&out, "message", finding.message);
  return out;
}

std::string JsonReport(const Report& report) {
  JsonValue out = JsonValue::Of(JsonValue::Object());
  out.Set("files", Number(report.files));
  out.Set("objects", Number(report.objects));
  if (report.ignored > 0) out.Set("ignored", Number(report.ignored));
  JsonValue::Array problems;
  for (const FileFinding& found : report.findings) problems.push_back(ToJson(found));
  out.Set("problems", JsonValue::Of(std::move(problems)));
  return ToText(out, {.indent = 2}) + '\n';
}

Outcome RunValidate(const Invocation& invocation) {
  std::vector<std::string> names = invocation.All("filename");
  for (const std::string& argument : invocation.arguments()) names.push_back(argument);
  if (names.empty()) return UsageError("validate", "which files? name them with -f");
  if (NamesStandardInputTwice(names)) {
    return UsageError("validate", "the standard input (-) can be read only once");
  }
  const FileList list = ListFiles(names, invocation.Has("recursive"));
  const CheckOptions options{.ignore_unknown_kinds = invocation.Has("ignore-unknown-kinds")};
  Report report;
  for (const FileError& error : list.errors) {
    report.AddFileError(error.name, error.error.message());
  }
  for (const std::string& file : list.files) CheckFile(file, options, &report);
  if (report.findings.empty() && report.objects + report.ignored == 0) {
    report.AddFileError(names.front(), "holds no objects");
  }

  const bool json = invocation.Get("output", "text") == "json";
  return {
      report.findings.empty() ? kOk : kFailed, json ? JsonReport(report) : TextReport(report), {}};
}

constexpr Option kOptions[] = {
    kFilenameOption,
    kRecursiveOption,
    {.name = "ignore-unknown-kinds",
     .help = "pass over objects of kinds that podium does not know, such as custom resources"},
    kReportOption,
};

}  // namespace

Command ValidateCommand() {
  return {
      .name = "validate",
      .summary = "Find every mistake in manifests",
      .arguments = "[FILE...]",
      .max_arguments = 100'000,
      .values = Values::kFiles,
      .details =
          "Reads YAML and JSON strictly (unknown fields, keys that come twice and wrong types are "
          "mistakes), fills in the defaults and applies the API server's own rules; no cluster is "
          "needed. Every mistake is named with file, line, column and field.\n"
          "The rules are those for new objects, of every kind that podium knows. Of custom "
          "resources "
          "nothing is known here.\n"
          "The exit status is 0 when there are no mistakes, 1 when there are or when a file cannot "
          "be read, and 2 when the command line is wrong.",
      .example =
          "  podium validate -f pod.yaml\n"
          "  podium validate -R -f deploy/ -o json\n"
          "  helm template . | podium validate -f -\n",
      .options = kOptions,
      .run = RunValidate,
  };
}

}  // namespace podium::cli
