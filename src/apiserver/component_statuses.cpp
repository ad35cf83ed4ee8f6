#include "apiserver/component_statuses.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <span>
#include <utility>

#include "api/scheme.h"
#include "api/status.h"
#include "api/table/table.h"
#include "api/types/meta_v1.h"
#include "apiserver/encode.h"
#include "apiserver/read.h"
#include "apiserver/request_options.h"
#include "apiserver/selection.h"
#include "http/client.h"
#include "reflect/copy.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using api::core::v1::ComponentCondition;
using api::core::v1::ComponentStatus;
using api::core::v1::ComponentStatusList;
using api::meta::v1::PartialObjectMetadata;
using api::meta::v1::PartialObjectMetadataList;
using api::meta::v1::Table;
using api::meta::v1::TableRow;
using reflect::AnyObject;

constexpr std::string_view kStoreName = "etcd-0";
constexpr std::chrono::seconds kProbeTimeout{20};
constexpr size_t kMostAnswer = size_t{10} << 10;

ComponentCondition Healthy(std::string message) {
  return {.type = "Healthy", .status = "True", .message = std::move(message), .error = {}};
}
ComponentCondition Unhealthy(std::string message, std::string error) {
  return {.type = "Healthy",
          .status = "False",
          .message = std::move(message),
          .error = std::move(error)};
}

// What of a body upstream keeps.
Result<std::string> ReadSome(http::Response& response) {
  std::string body;
  std::array<char, 1024> buffer;
  while (body.size() < kMostAnswer) {
    TRY(const size_t size, response.Read(buffer));
    if (size == 0) break;
    body.append(buffer.data(), size);
  }
  return body.substr(0, kMostAnswer);
}

// Whoever listens there is asked: its certificate is its own. Redirects are not followed, else it
// would choose what this server asks next.
Result<http::Response> Ask(const std::string& url) {
  http::ClientOptions options;
  options.tls.skip_verify = true;
  options.tls.system_roots = false;
  options.timeouts = {.connect = kProbeTimeout, .idle = kProbeTimeout, .total = kProbeTimeout};
  options.user_agent = "kube-probe/1.36";
  TRY(const http::Client client, http::Client::Create(std::move(options)));
  return client.Send({.url = url, .headers = {{"Accept", "*/*"}}});
}

// Upstream takes an answer that does not come for one that says no.
ComponentCondition Probe(uint16_t port) {
  const std::string address = "127.0.0.1:" + std::to_string(port);
  const std::string url = "https://" + address + "/healthz";
  const auto failed = [&](const Error& error) {
    const std::string why = error.os_errno() == ECONNREFUSED
                                ? "dial tcp " + address + ": connect: connection refused"
                                : error.message();
    return Unhealthy("Get \"" + url + "\": " + why, "");
  };
  auto response = Ask(url);
  if (!response.ok()) return failed(response.error());
  auto body = ReadSome(*response);
  if (!body.ok()) return failed(body.error());
  if (response->status() >= 200 && response->status() < 400) return Healthy(*std::move(body));
  return Unhealthy("HTTP probe failed with statuscode: " + std::to_string(response->status()), "");
}

ComponentStatus StatusWith(std::string_view name, ComponentCondition condition) {
  ComponentStatus status;
  status.metadata.name = name;
  status.conditions.push_back(std::move(condition));
  return status;
}

PartialObjectMetadata PartialOf(const OutputForm& form, const ComponentStatus& status) {
  PartialObjectMetadata partial;
  partial.kind = "PartialObjectMetadata";
  partial.apiVersion = ViewVersion(form);
  partial.metadata = reflect::Copy(status.metadata);
  return partial;
}

Result<AnyObject> TableOfStatuses(const Call& call, const ServedResource& resource,
                                  const OutputForm& form, std::span<ComponentStatus> statuses) {
  TRY(const api::IncludeObject include, ReadTableOptions(call, form));
  AnyObject made(reflect::TypeOf<Table>());
  Table& table = *made.As<Table>();
  table.kind = "Table";
  table.apiVersion = ViewVersion(form);
  const api::TableColumns& columns =
      api::ColumnsOf(resource.group, resource.version, resource.kind);
  table.columnDefinitions = api::ColumnDefinitions(columns, resource.type);
  table.rows.present = true;
  for (ComponentStatus& status : statuses) {
    TRY(TableRow row, api::TableRowOf(columns, *resource.type, &status, TimeOf(call)));
    if (include == api::IncludeObject::kObject) {
      status.kind = resource.kind;
      status.apiVersion = resource.api_version;
      TRY(row.object.text, reflect::ToJson(status));
    } else if (include == api::IncludeObject::kMetadata) {
      TRY(row.object.text, reflect::ToJson(PartialOf(form, status)));
    }
    table.rows.push_back(std::move(row));
  }
  return made;
}

// All of them as the form wants them.
Result<AnyObject> ListOf(const Call& call, const ServedResource& resource, const OutputForm& form,
                         std::span<ComponentStatus> statuses) {
  if (form.view == View::kTable) return TableOfStatuses(call, resource, form, statuses);
  if (form.view == View::kPartialMetadataList) {
    AnyObject made(reflect::TypeOf<PartialObjectMetadataList>());
    auto& list = *made.As<PartialObjectMetadataList>();
    list.kind = "PartialObjectMetadataList";
    list.apiVersion = ViewVersion(form);
    list.items.present = true;
    for (const ComponentStatus& status : statuses) list.items.push_back(PartialOf(form, status));
    return made;
  }
  AnyObject made(reflect::TypeOf<ComponentStatusList>());
  auto& list = *made.As<ComponentStatusList>();
  list.kind = resource.list_kind;
  list.apiVersion = resource.api_version;
  list.items.present = true;
  for (ComponentStatus& status : statuses) list.items.push_back(std::move(status));
  return made;
}

Result<Answer> GetAnswer(const Call& call, const ServedResource& resource, ComponentStatus status) {
  TRY(const OutputForm form, NegotiateOutput(call, RulesOf(resource)));
  TRY_VOID(CheckView(resource, form, false));
  if (form.view == View::kTable) {
    TRY(const AnyObject table, TableOfStatuses(call, resource, form, {&status, 1}));
    return AnswerInForm(form, table.type(), table.get());
  }
  status.kind = resource.kind;
  status.apiVersion = resource.api_version;
  return AnswerWithValue(call, RulesOf(resource), status);
}

}  // namespace

Result<void> CheckStore(const store::Store& store) {
  const store::Health health = store.health();
  if (health.error && health.state == store::Health::kFailed) return *health.error;
  return {};
}

ComponentStatuses::ComponentStatuses(const store::Store& store, std::vector<Port> ports)
    : store_(store), ports_(std::move(ports)) {}

void ComponentStatuses::Tell(const std::string& component, Check check) {
  const std::lock_guard lock(mutex_);
  told_.erase(component);
  if (check) told_.emplace(component, std::move(check));
}

ComponentStatus ComponentStatuses::StatusOf(const Port& port) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto told = told_.find(port.component); told != told_.end()) {
      const Result<void> is = told->second();
      return StatusWith(port.component,
                        is.ok() ? Healthy("ok") : Unhealthy(is.error().message(), ""));
    }
  }
  return StatusWith(port.component, Probe(port.port));
}

std::vector<ComponentStatus> ComponentStatuses::All() const {
  std::vector<ComponentStatus> all;
  all.reserve(ports_.size() + 1);
  for (const Port& port : ports_) all.push_back(StatusOf(port));
  const Result<void> stored = CheckStore(store_);
  all.push_back(StatusWith(kStoreName,
                           stored.ok() ? Healthy("ok") : Unhealthy("", stored.error().message())));
  return all;
}

Result<ComponentStatus> ComponentStatuses::Get(std::string_view name) const {
  if (name == kStoreName) {
    return std::move(ComponentStatuses(store_, {}).All().front());
  }
  const auto found = std::ranges::find(ports_, name, &Port::component);
  if (found != ports_.end()) return StatusOf(*found);
  api::meta::v1::Status status;
  status.status = "Failure";
  status.message = "Component not found: " + std::string(name);
  status.code = 500;
  return api::StatusError(std::move(status));
}

Answer ComponentStatuses::AnswerGet(const Call& call, const ServedResource& resource) const {
  auto status = Get(call.info.name);
  if (!status.ok()) return AnswerWithError(call, status.error());
  auto answer = GetAnswer(call, resource, *std::move(status));
  return answer.ok() ? std::move(*answer) : AnswerWithError(call, answer.error());
}

Answer ComponentStatuses::AnswerList(const Call& call, const ServedResource& resource) const {
  const auto answer_of = [&]() -> Result<Answer> {
    OutputRules rules = RulesOf(resource);
    rules.streams = true;
    TRY(const OutputForm form, NegotiateOutput(call, rules));
    TRY(const auto options, OptionsOfQuery<api::meta::v1::ListOptions>(call.query));
    TRY_VOID(CheckListOptions(options));
    TRY(const Selection selection,
        Selection::Create(resource, options.labelSelector, options.fieldSelector));
    TRY_VOID(CheckView(resource, form, true));
    std::vector<ComponentStatus> all = All();
    std::erase_if(all, [&](const ComponentStatus& status) {
      return !selection.MatchesName(status.metadata.name);
    });
    TRY(const AnyObject list, ListOf(call, resource, form, all));
    return AnswerInForm(form, list.type(), list.get());
  };
  auto answer = answer_of();
  return answer.ok() ? std::move(*answer) : AnswerWithError(call, answer.error());
}

}  // namespace podium::apiserver
