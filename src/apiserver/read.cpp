#include "apiserver/read.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "api/field_errors.h"
#include "api/status.h"
#include "apiserver/continue_token.h"
#include "apiserver/custom_resources/custom_objects.h"
#include "apiserver/storage_keys.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using api::field::ErrorList;
using api::field::Path;
using api::meta::v1::ListOptions;

// Comparisons of selectors that one step makes, about, and the objects that it looks at at most.
constexpr size_t kStepWork = 4096;
constexpr size_t kStepObjects = 1024;

constexpr std::string_view kNotOlderThan = "NotOlderThan";
constexpr std::string_view kExact = "Exact";

// A token for the rest in the newest state, for who can live with that.
Error ExpiredToken(std::string start) {
  api::meta::v1::Status status = api::StatusOf(api::ExpiredError(
      "The provided continue parameter is too old to display a consistent list result. You can "
      "start a new list without the continue parameter, or use the continue token in this response "
      "to retrieve the remainder of the results. Continuing with the provided token results in an "
      "inconsistent list - objects that were created, modified, or deleted between the time the "
      "first chunk was returned and now may show up in the list."));
  status.metadata.continue_ = EncodeContinue({.start = std::move(start), .version = -1});
  return api::StatusError(std::move(status));
}

}  // namespace

Result<void> CheckListOptions(const ListOptions& options) {
  ErrorList errors;
  const Path match("resourceVersionMatch");
  const std::string& asked = options.resourceVersionMatch;
  if (!asked.empty()) {
    if (options.resourceVersion.empty()) {
      errors.Add(api::field::Forbidden(
          match, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
    }
    if (!options.continue_.empty()) {
      errors.Add(api::field::Forbidden(
          match, "resourceVersionMatch is forbidden when continue is provided"));
    }
    if (asked != kExact && asked != kNotOlderThan) {
      errors.Add(api::field::NotSupported(match, asked, {kExact, kNotOlderThan, ""}));
    }
    if (asked == kExact && options.resourceVersion == "0") {
      errors.Add(api::field::Forbidden(
          match, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""));
    }
  }
  if (options.sendInitialEvents) {
    errors.Add(api::field::Forbidden(Path("sendInitialEvents"),
                                     "sendInitialEvents is forbidden for list"));
  }
  if (errors.empty()) return {};
  return api::InvalidError("meta.k8s.io", "ListOptions", "", errors);
}

Error TooLargeVersionError(uint64_t asked, store::Revision newest) {
  api::meta::v1::Status status =
      api::StatusOf(api::TimeoutError("Too large resource version: " + std::to_string(asked) +
                                          ", current: " + std::to_string(newest),
                                      1));
  api::meta::v1::StatusCause& cause = status.details.ensure().causes.emplace_back();
  cause.reason = "ResourceVersionTooLarge";
  cause.message = "Too large resource version";
  return api::StatusError(std::move(status));
}

Result<uint64_t> ReadVersion(std::string_view text) {
  uint64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error == std::errc() && end == text.data() + text.size()) return version;
  const std::string quoted = reflect::GoQuoted(text);
  const std::string_view why =
      error == std::errc::result_out_of_range ? "value out of range" : "invalid syntax";
  return api::BadRequestError(
      "invalid resource version: resourceVersion: Invalid value: " + quoted +
      ": strconv.ParseUint: parsing " + quoted + ": " + std::string(why));
}

Result<store::EntryPtr> ReadEntry(store::Store& store, const ServedResource& resource,
                                  std::string_view name_space, std::string_view name,
                                  std::string_view resource_version) {
  if (!resource_version.empty()) {
    TRY(const uint64_t asked, ReadVersion(resource_version));
    const store::Revision newest = asked > 0 ? store.health().revision : 0;
    if (asked > static_cast<uint64_t>(newest)) return TooLargeVersionError(asked, newest);
  }
  if (!resource.is_stored()) return api::NotFoundError(resource.group_resource(), name);
  const std::string_view in = resource.namespaced ? name_space : std::string_view();
  TRY(store::EntryPtr entry, store.Get(KeyOf(resource.prefix, in, name)));
  if (!entry) return api::NotFoundError(resource.group_resource(), name);
  return entry;
}

Result<ListReader> ListReader::Create(store::Store& store, const ListRequest& request) {
  const ServedResource& resource = *request.resource;
  const ListOptions& options = request.options;
  TRY(Selection selection,
      Selection::Create(resource, options.labelSelector, options.fieldSelector, request.name));
  TRY_VOID(CheckListOptions(options));
  ListReader reader(store, std::move(selection));
  reader.prefix_ = KeyOf(resource.prefix, resource.namespaced ? request.namespace_ : "", "");
  reader.keys_ = reader.selection_.Keys(request.namespace_);
  reader.custom_ = resource.custom.get();
  reader.limit_ = std::max<int64_t>(options.limit, 0);
  TRY_VOID(reader.ChooseState(options));
  // What is never stored has no objects.
  if (!resource.is_stored()) {
    reader.done_ = true;
    reader.revision_ = store.health().revision;
  }
  return reader;
}

Result<void> ListReader::ChooseState(const ListOptions& options) {
  if (!options.continue_.empty()) {
    if (!options.resourceVersion.empty() && options.resourceVersion != "0") {
      return api::BadRequestError("specifying resource version is not allowed when using continue");
    }
    const auto token = DecodeContinue(options.continue_);
    if (!token.ok()) {
      return api::BadRequestError("invalid continue token: " + token.error().message());
    }
    continues_ = true;
    from_ = prefix_ + token->start;
    at_ = std::max<store::Revision>(token->version, 0);
    return {};
  }
  if (options.resourceVersion.empty()) return {};
  TRY(const uint64_t asked, ReadVersion(options.resourceVersion));
  if (asked == 0) {
    limit_ = 0;
    return {};
  }
  const store::Revision newest = store_->health().revision;
  if (asked > static_cast<uint64_t>(newest)) return TooLargeVersionError(asked, newest);
  const bool exact = options.resourceVersionMatch == kExact ||
                     (options.resourceVersionMatch.empty() && limit_ > 0);
  if (exact) at_ = static_cast<store::Revision>(asked);
  return {};
}

Error ListReader::ReadError(const Error& error) const {
  if (error.code() == Code::kExpired) {
    if (continues_) return ExpiredToken(from_.substr(prefix_.size()));
    return api::ExpiredError("The resourceVersion for the provided list is too old.");
  }
  if (error.code() == Code::kInvalidArgument) {
    return TooLargeVersionError(static_cast<uint64_t>(at_), store_->health().revision);
  }
  return error;
}

Result<void> ListReader::Step(std::vector<store::EntryPtr>* entries) {
  if (done_) return {};
  const size_t weight = selection_.weight() + 1;
  size_t most = std::clamp<size_t>(kStepWork / weight, 1, kStepObjects);
  store::RangeOptions options;
  options.at = at_;
  options.keys = keys_;
  if (!keys_.single) {
    options.from = from_;
    if (limit_ > 0 && selection_.Empty()) {
      const auto wanted = static_cast<size_t>(limit_ - taken_);
      options.count = wanted <= most;
      most = std::min(most, wanted);
    }
    options.limit = most;
  }
  auto range = store_->Range(options);
  if (!range.ok()) return ReadError(range.error());
  return Take(*std::move(range), entries);
}

Result<void> ListReader::Take(store::RangeResult range, std::vector<store::EntryPtr>* entries) {
  revision_ = at_ = range.revision;
  if (custom_ != nullptr) TRY_VOID(MakeForms(*custom_, range.entries));
  for (size_t i = 0; i < range.entries.size(); ++i) {
    store::EntryPtr& entry = range.entries[i];
    TRY(const bool selected, selection_.Matches(*entry));
    std::string last;
    if (selected && limit_ > 0 && taken_ + 1 == limit_) last = entry->key();
    if (selected) {
      entries->push_back(std::move(entry));
      ++taken_;
    }
    if (limit_ == 0 || taken_ < limit_) continue;
    done_ = true;
    if (keys_.single || (i + 1 == range.entries.size() && range.next.empty())) return {};
    next_ = EncodeContinue({.start = last.substr(prefix_.size()) + '\0', .version = revision_});
    if (selection_.Empty()) remaining_ = range.remaining;
    return {};
  }
  done_ = keys_.single || range.next.empty();
  from_ = std::move(range.next);
  return {};
}

Result<EntryList> ReadList(store::Store& store, const ListRequest& request) {
  TRY(ListReader reader, ListReader::Create(store, request));
  EntryList list;
  while (!reader.done()) TRY_VOID(reader.Step(&list.entries));
  list.revision = reader.revision();
  list.next = reader.next();
  list.remaining = reader.remaining();
  return list;
}

}  // namespace podium::apiserver
