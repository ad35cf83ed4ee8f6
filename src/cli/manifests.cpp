#include "cli/manifests.h"

#include <utility>

#include "api/scheme.h"
#include "cli/input.h"
#include "cli/text.h"
#include "reflect/json.h"
#include "reflect/protobuf.h"

namespace podium::cli {
namespace {

Result<reflect::AnyObject> FromProtobuf(std::string_view bytes) {
  TRY(const reflect::Envelope envelope, reflect::ReadEnvelope(bytes));
  const reflect::Type* type = api::FindType(envelope.api_version, envelope.kind);
  if (!type) {
    return Error(Code::kInvalidArgument, "no matches for kind \"" + envelope.kind +
                                             "\" in version \"" + envelope.api_version + "\"");
  }
  reflect::AnyObject object(*type);
  TRY_VOID(reflect::DecodeEnveloped(bytes, *type, object.get()));
  return object;
}

// Only for documents in which CheckDocument found nothing.
Result<ManifestObject> FromJson(std::string json) {
  TRY(const reflect::ObjectHeader header, reflect::ReadHeader(json));
  ManifestObject read;
  if (const reflect::Type* type = api::FindType(header.api_version, header.kind)) {
    read.object = reflect::AnyObject(*type);
    TRY_VOID(reflect::DecodeJsonInto(json, *type, read.object.get()));
  } else {
    read.json = json;
  }
  read.source = std::move(json);
  return read;
}

class Reader {
 public:
  explicit Reader(const CheckOptions& options) : options_(options) {}

  void AddError(const std::string& file, std::string_view message) {
    manifests_.errors += Printable(DisplayName(file)) + ": " + Printable(message) + '\n';
  }

  void ReadFile(const std::string& file) {
    const Result<std::string> text = ReadInput(file);
    if (!text.ok()) {
      AddError(file, text.error().message());
    } else if (!reflect::HasEnvelope(*text)) {
      ReadDocuments(DisplayName(file), *text);
    } else if (Result<reflect::AnyObject> object = FromProtobuf(*text); object.ok()) {
      manifests_.objects.push_back({*std::move(object), {}, {}});
    } else {
      AddError(file, object.error().message());
    }
  }

  Manifests Take() && { return std::move(manifests_); }

 private:
  void ReadDocuments(const std::string& file, std::string_view text) {
    DocumentReader reader(text);
    Document document;
    while (reader.Next(&document)) {
      CheckResult result;
      CheckDocument(document, options_, &result);
      for (const Finding& finding : result.findings) {
        AddError(file + ':' + std::to_string(finding.position.line) + ':' +
                     std::to_string(finding.position.column),
                 finding.Text());
      }
      if (!result.findings.empty()) continue;
      Result<ManifestObject> read = FromJson(std::move(document.json));
      if (read.ok()) {
        manifests_.objects.push_back(*std::move(read));
      } else {
        AddError(file, read.error().message());
      }
    }
  }

  const CheckOptions& options_;
  Manifests manifests_;
};

}  // namespace

Result<std::string> ManifestObject::Json() const {
  if (!object) return json;
  std::string out;
  TRY_VOID(reflect::EncodeJson(object.type(), object.get(), &out));
  return out;
}

Manifests ReadManifests(const std::vector<std::string>& names, bool recursive,
                        const CheckOptions& options) {
  const FileList list = ListFiles(names, recursive);
  Reader reader(options);
  for (const FileError& error : list.errors) reader.AddError(error.name, error.error.message());
  for (const std::string& file : list.files) reader.ReadFile(file);
  return std::move(reader).Take();
}

}  // namespace podium::cli
