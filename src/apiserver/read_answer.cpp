#include <algorithm>
#include <utility>

#include "api/status.h"
#include "apiserver/encode.h"
#include "apiserver/json_indent.h"
#include "apiserver/read.h"
#include "apiserver/request_options.h"
#include "reflect/json.h"
#include "reflect/protobuf.h"
#include "reflect/yaml.h"

namespace podium::apiserver {
namespace {

using Place = ObjectEncoder::Place;

// A piece has about so many bytes, and an answer that fits into one is sent whole.
constexpr size_t kPiece = size_t{48} << 10;
// Objects that are decoded for a piece, at most.
constexpr size_t kPieceObjects = 64;

void AppendVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

void AppendField(uint32_t number, std::string_view bytes, std::string* out) {
  AppendVarint(uint64_t{number} << 3 | 2, out);
  AppendVarint(bytes.size(), out);
  out->append(bytes);
}

size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

// A list while it is sent. Entries are looked up a little ahead of what the client takes, and each
// is shown when its turn comes.
class ListBody : public http::PulledBody {
 public:
  // The request itself is not needed any more.
  ListBody(std::shared_ptr<const void> keeps_alive, const ServedResource& resource,
           ObjectEncoder encoder, ListReader reader)
      : keeps_alive_(std::move(keeps_alive)),
        resource_(resource),
        encoder_(encoder),
        reader_(std::move(reader)) {}

  void Attach(http::BodyWaker waker) override { waker_ = std::move(waker); }

  // What is wrong with the request comes out here, before an answer has begun.
  Result<void> Begin() { return reader_.Step(&entries_); }
  // The piece that was looked at comes again.
  void KeepPiece() { kept_ = true; }

  Result<http::BodyPiece> Next() override {
    if (std::exchange(kept_, false) && !piece_.empty()) {
      return http::BodyPiece{piece_, http::BodyPiece::Then::kMore};
    }
    piece_.clear();
    if (!reader_.done()) TRY_VOID(reader_.Step(&entries_));
    if (phase_ == Phase::kHead) {
      TRY(const bool ready, AppendHead());
      if (!ready) return Later();
      phase_ = Phase::kObjects;
    }
    if (phase_ == Phase::kObjects) TRY_VOID(AppendObjects());
    if (phase_ == Phase::kTail) {
      TRY_VOID(AppendTail());
      phase_ = Phase::kOver;
      return http::BodyPiece{piece_, http::BodyPiece::Then::kEnd};
    }
    if (phase_ == Phase::kOver) return http::BodyPiece{{}, http::BodyPiece::Then::kEnd};
    if (piece_.empty()) return Later();
    return http::BodyPiece{piece_, http::BodyPiece::Then::kMore};
  }

 private:
  enum class Phase { kHead, kObjects, kTail, kOver };

  bool is_table() const { return encoder_.form().view == View::kTable; }
  bool is_protobuf() const { return encoder_.form().media == Media::kProtobuf; }
  bool is_yaml() const { return encoder_.form().media == Media::kYaml; }
  // Members in the order of their names, as upstream prints what has no type of its own.
  bool is_sorted() const {
    return is_yaml() || (resource_.builtin == nullptr && encoder_.form().view == View::kObject &&
                         !is_protobuf());
  }

  // Others have a turn.
  http::BodyPiece Later() const {
    waker_.Wake();
    return {{}, http::BodyPiece::Then::kWait};
  }

  std::string_view kind() const {
    if (is_table()) return "Table";
    return encoder_.form().view == View::kObject ? std::string_view(resource_.list_kind)
                                                 : "PartialObjectMetadataList";
  }
  std::string_view api_version() const {
    return encoder_.form().view == View::kObject ? std::string_view(resource_.api_version)
                                                 : ViewVersion(encoder_.form());
  }

  api::meta::v1::ListMeta Metadata() const {
    api::meta::v1::ListMeta metadata;
    metadata.resourceVersion = std::to_string(reader_.revision());
    metadata.continue_ = reader_.next();
    metadata.remainingItemCount = reader_.remaining();
    return metadata;
  }

  Result<std::string> MetadataJson() const {
    TRY(const std::string json, reflect::ToJson(Metadata()));
    // Lists without a type always have the member, and theirs are sorted.
    if (!is_sorted() || is_yaml()) return json;
    std::string sorted = "{\"continue\":";
    reflect::AppendJsonString(reader_.next(), &sorted);
    if (reader_.remaining()) {
      sorted += ",\"remainingItemCount\":" + std::to_string(*reader_.remaining());
    }
    return sorted + ",\"resourceVersion\":\"" + std::to_string(reader_.revision()) + "\"}";
  }

  // False: it is not yet known.
  Result<bool> AppendHead() {
    if (is_protobuf()) return AppendProtobufHead();
    if (reader_.has_limit() && !reader_.done() && !is_sorted()) return false;
    if (is_yaml()) {
      TRY_VOID(AppendYamlHead());
      return true;
    }
    std::string head = "{";
    if (!is_sorted()) head.append("\"kind\":\"").append(kind()).append("\",");
    head.append("\"apiVersion\":\"").append(api_version()).append("\",");
    if (!is_sorted()) {
      TRY(const std::string metadata, MetadataJson());
      head.append("\"metadata\":").append(metadata).append(",");
    }
    if (is_table()) head.append(encoder_.ColumnsJson()).append(",");
    head.append(is_table() ? "\"rows\":[" : "\"items\":[");
    Put(head);
    return true;
  }

  Result<void> AppendTail() {
    if (is_protobuf()) {
      // contentEncoding and contentType, empty.
      piece_.append("\x1a\0\x22\0", 4);
      return {};
    }
    if (is_yaml()) return AppendYamlTail();
    std::string tail = "]";
    if (is_sorted()) {
      TRY(const std::string metadata, MetadataJson());
      tail.append(",\"kind\":\"").append(kind()).append("\",\"metadata\":").append(metadata);
    }
    Put(tail.append("}"));
    if (!encoder_.form().pretty) piece_.push_back('\n');
    return {};
  }

  // Items stand between apiVersion and kind, rows behind all else.
  Result<void> AppendYamlHead() {
    std::string json = "{\"apiVersion\":\"" + std::string(api_version()) + "\"";
    if (is_table()) {
      TRY(const std::string metadata, MetadataJson());
      json += "," + encoder_.ColumnsJson() + ",\"kind\":\"Table\",\"metadata\":" + metadata;
    }
    TRY_VOID(reflect::JsonToYaml(json + "}", &piece_));
    piece_.append(is_table() ? "rows:" : "items:");
    return {};
  }

  Result<void> AppendYamlTail() {
    if (sent_ == 0) piece_.append(" []\n");
    if (is_table()) return {};
    TRY(const std::string metadata, MetadataJson());
    return reflect::JsonToYaml(
        "{\"kind\":\"" + std::string(kind()) + "\",\"metadata\":" + metadata + "}", &piece_);
  }

  // A message says its size before it begins, so everything is encoded twice: once to know.
  Result<bool> AppendProtobufHead() {
    std::string bytes;
    for (size_t i = 0; i < kPieceObjects && measured_ < entries_.size(); ++i, ++measured_) {
      bytes.clear();
      TRY_VOID(encoder_.AppendProtobuf(*entries_[measured_], Place::kElement, &bytes));
      items_size_ += 1 + VarintSize(bytes.size()) + bytes.size();
    }
    if (!reader_.done() || measured_ < entries_.size()) return false;
    std::string type_meta;
    AppendField(1, api_version(), &type_meta);
    AppendField(2, kind(), &type_meta);
    const api::meta::v1::ListMeta metadata = Metadata();
    std::string encoded;
    TRY_VOID(
        reflect::EncodeProtobuf(reflect::TypeOf<api::meta::v1::ListMeta>(), &metadata, &encoded));
    std::string list;
    AppendField(1, encoded, &list);
    piece_.append("k8s\0", 4);
    AppendField(1, type_meta, &piece_);
    AppendVarint(2 << 3 | 2, &piece_);
    AppendVarint(list.size() + items_size_, &piece_);
    piece_.append(list);
    return true;
  }

  Result<void> AppendObjects() {
    const bool verbatim =
        encoder_.form().media == Media::kJson && encoder_.form().view == View::kObject;
    for (size_t i = 0; sent_ < entries_.size() && piece_.size() < kPiece; ++i) {
      if (!verbatim && i == kPieceObjects) break;
      TRY_VOID(AppendObject(*entries_[sent_]));
      entries_[sent_++] = nullptr;
    }
    if (reader_.done() && sent_ == entries_.size()) phase_ = Phase::kTail;
    return {};
  }

  Result<void> AppendObject(const store::Entry& entry) {
    if (is_protobuf()) {
      scratch_.clear();
      TRY_VOID(encoder_.AppendProtobuf(entry, Place::kElement, &scratch_));
      AppendField(2, scratch_, &piece_);
      return {};
    }
    const bool direct = !is_yaml() && !encoder_.form().pretty;
    std::string& out = direct ? piece_ : scratch_;
    if (!direct) scratch_.assign(is_yaml() ? "[" : "");
    if (!is_yaml() && sent_ > 0) out.push_back(',');
    TRY_VOID(encoder_.AppendJson(entry, Place::kElement, &out));
    if (direct) return {};
    if (!is_yaml()) {
      indenter_.Append(scratch_, &piece_);
      return {};
    }
    scratch_.push_back(']');
    if (sent_ == 0) piece_.push_back('\n');
    return reflect::JsonToYaml(scratch_, &piece_);
  }

  void Put(std::string_view json) {
    if (encoder_.form().pretty) {
      indenter_.Append(json, &piece_);
    } else {
      piece_.append(json);
    }
  }

  const std::shared_ptr<const void> keeps_alive_;
  const ServedResource& resource_;
  const ObjectEncoder encoder_;
  ListReader reader_;
  http::BodyWaker waker_;
  Phase phase_ = Phase::kHead;
  std::vector<store::EntryPtr> entries_;
  bool kept_ = false;
  size_t sent_ = 0;
  size_t measured_ = 0;
  uint64_t items_size_ = 0;
  std::string piece_;
  std::string scratch_;
  JsonIndenter indenter_;
};

Result<Answer> ListAnswer(const CallPtr& call, store::Store& store, const ServedResource& resource,
                          std::shared_ptr<const void> keeps_alive) {
  OutputRules rules = RulesOf(resource);
  rules.streams = true;
  TRY(const OutputForm form, NegotiateOutput(*call, rules));
  ListRequest request{.resource = &resource, .namespace_ = std::string(call->info.namespace_)};
  TRY(request.options, OptionsOfQuery<api::meta::v1::ListOptions>(call->query));
  TRY(ListReader reader, ListReader::Create(store, request));
  TRY_VOID(CheckView(resource, form, true));
  TRY(const api::IncludeObject include, ReadTableOptions(*call, form));
  auto body = std::make_unique<ListBody>(std::move(keeps_alive), resource,
                                         ObjectEncoder(resource, form, include, TimeOf(*call)),
                                         std::move(reader));
  TRY_VOID(body->Begin());
  Answer answer;
  answer.headers.Add("Content-Type", MediaTypeOf(form.media));
  TRY(const http::BodyPiece first, body->Next());
  if (first.then == http::BodyPiece::Then::kEnd) {
    answer.body = first.bytes;
    return answer;
  }
  body->KeepPiece();
  answer.pulled = std::move(body);
  return answer;
}

}  // namespace

Answer AnswerGet(const CallPtr& call, store::Store& store, const ServedResource& resource) {
  const auto entry = ReadEntry(store, resource, call->info.namespace_, call->info.name,
                               QueryValue(call->query, "resourceVersion"));
  if (!entry.ok()) return AnswerWithError(*call, entry.error());
  return AnswerWithEntry(*call, resource, **entry);
}

Answer AnswerList(const CallPtr& call, store::Store& store, const ServedResource& resource,
                  std::shared_ptr<const void> keeps_alive) {
  auto answer = ListAnswer(call, store, resource, std::move(keeps_alive));
  return answer.ok() ? std::move(*answer) : AnswerWithError(*call, answer.error());
}

}  // namespace podium::apiserver
