#include "apiserver/component_statuses.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "apiserver/read_support.h"
#include "apiserver/test_store.h"
#include "apiserver/write_support.h"
#include "http/server.h"
#include "http/tls_server.h"
#include "pki/certificate_authority.h"

namespace podium::apiserver {
namespace {

class BrokenStore : public store::MemoryStore {
 public:
  using MemoryStore::MemoryStore;
  store::Health health() const override {
    store::Health health = MemoryStore::health();
    if (broken) {
      health.state = store::Health::kFailed;
      health.error = Error(Code::kDataLoss, "the file is damaged");
    }
    return health;
  }
  bool broken = false;
};

// What upstream's scheduler is to others: /healthz by HTTPS, with a certificate of its own.
class Component {
 public:
  Component() {
    const auto authority = *pki::CertificateAuthority::Create(
        "scheduler", kNoon / 1'000'000'000 - 3600, kNoon / 1'000'000'000 + 3600);
    auto tls = *http::TlsServer::Create(
        {.certificate = authority.certificate().Pem(), .key = authority.key().Pem()});
    auto listener = http::Listener::Tcp("127.0.0.1", 0);
    EXPECT_TRUE(listener.ok());
    port_ = listener->port();
    std::vector<http::Endpoint> endpoints;
    endpoints.push_back({.listener = *std::move(listener), .tls = std::move(tls)});
    server_ = *http::Server::Start(
        std::move(endpoints), {}, [this](const std::shared_ptr<http::Exchange>& exchange) {
          asked = exchange->request().head.target + " of " +
                  std::string(exchange->request().head.headers.Get("User-Agent"));
          http::Headers headers;
          if (!location.empty()) headers.Add("Location", location);
          (void)exchange->Respond(status, std::move(headers), body);
        });
  }
  ~Component() { server_->Stop(std::chrono::milliseconds(0)); }
  uint16_t port() const { return port_; }

  int status = 200;
  std::string body = "ok";
  std::string location;
  std::string asked;

 private:
  uint16_t port_ = 0;
  std::unique_ptr<http::Server> server_;
};

class ComponentStatusesTest : public testing::Test {
 protected:
  Replied Get(const std::string& target, const std::string& accept = "application/json") {
    const CallPtr call = AcceptCall(target, accept);
    const ServedResource& resource = *catalog_->Find("", "v1", "componentstatuses");
    return WriteRig::ReplyOf(*call, call->info.verb == "get"
                                        ? statuses_.AnswerGet(*call, resource)
                                        : statuses_.AnswerList(*call, resource));
  }
  // "True ok": status, message and error of the condition.
  std::string Is(const std::string& name) {
    const Replied got = Get("/api/v1/componentstatuses/" + name);
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.At("metadata.name"), name);
    EXPECT_EQ(got.At("conditions.0.type"), "Healthy");
    std::string is = got.At("conditions.0.status");
    for (const std::string field : {"message", "error"}) {
      const std::string text = got.At("conditions.0." + field);
      if (!text.empty()) is += " " + field + "=" + text;
    }
    return is;
  }

  ThreadExecutor executor_{2};
  BrokenStore store_{executor_};
  Component scheduler_;
  const CatalogPtr catalog_ = Catalog::Make({});
  ComponentStatuses statuses_{store_,
                              {{"scheduler", scheduler_.port()}, {"controller-manager", 1}}};
};

TEST_F(ComponentStatusesTest, OneInThisProcessIsTold) {
  Result<void> is;
  statuses_.Tell("controller-manager", [&] { return is; });
  EXPECT_EQ(Is("controller-manager"), "True message=ok");
  is = Error(Code::kUnavailable, "all threads are busy");
  EXPECT_EQ(Is("controller-manager"), "False message=all threads are busy");
  // As upstream's prober says it of what does not listen.
  statuses_.Tell("controller-manager", {});
  EXPECT_EQ(Is("controller-manager"),
            "False message=Get \"https://127.0.0.1:1/healthz\": dial tcp 127.0.0.1:1: connect: "
            "connection refused");
}

TEST_F(ComponentStatusesTest, OneBesideThisProcessIsAsked) {
  EXPECT_EQ(Is("scheduler"), "True message=ok");
  EXPECT_EQ(scheduler_.asked, "/healthz of kube-probe/1.36");
  scheduler_.status = 500;
  EXPECT_EQ(Is("scheduler"), "False message=HTTP probe failed with statuscode: 500");
  scheduler_.status = 200;
  scheduler_.body = std::string(40'000, 'x');
  EXPECT_EQ(Is("scheduler"), "True message=" + std::string(10'240, 'x'));
}

TEST_F(ComponentStatusesTest, OneBesideThisProcessDoesNotSendItElsewhere) {
  scheduler_.status = 302;
  scheduler_.body = "moved";
  scheduler_.location = "/secret";
  EXPECT_EQ(Is("scheduler"), "True message=moved");
  EXPECT_EQ(scheduler_.asked, "/healthz of kube-probe/1.36");
}

TEST_F(ComponentStatusesTest, TheStore) {
  EXPECT_EQ(Is("etcd-0"), "True message=ok");
  store_.broken = true;
  EXPECT_EQ(Is("etcd-0"), "False error=the file is damaged");
}

TEST_F(ComponentStatusesTest, AnUnknownOne) {
  const Replied got = Get("/api/v1/componentstatuses/kubelet");
  EXPECT_EQ(got.status, 500);
  EXPECT_EQ(got.message(), "Component not found: kubelet");
}

TEST_F(ComponentStatusesTest, AllOfThem) {
  const Replied list = Get("/api/v1/componentstatuses");
  EXPECT_EQ(list.At("kind") + " " + list.At("apiVersion") + " " + list.At("metadata"),
            "ComponentStatusList v1 {}");
  EXPECT_EQ(list.At("items.0.metadata.name"), "scheduler");
  EXPECT_EQ(list.At("items.1.metadata.name"), "controller-manager");
  EXPECT_EQ(list.At("items.2"),
            R"({"metadata":{"name":"etcd-0"},)"
            R"("conditions":[{"type":"Healthy","status":"True","message":"ok"}]})");
  EXPECT_EQ(list.Find("items")->array().size(), 3);
}

TEST_F(ComponentStatusesTest, Selected) {
  const auto left = [&](const std::string& query) {
    return Get("/api/v1/componentstatuses?" + query).Find("items")->array().size();
  };
  EXPECT_EQ(left("fieldSelector=metadata.name%3Detcd-0"), 1);
  EXPECT_EQ(left("fieldSelector=metadata.name!%3Detcd-0"), 2);
  EXPECT_EQ(left("labelSelector=a"), 0);
  EXPECT_EQ(left("labelSelector=!a"), 3);
  EXPECT_EQ(Get("/api/v1/componentstatuses?fieldSelector=status%3Da").status, 400);
  EXPECT_EQ(Get("/api/v1/componentstatuses?resourceVersionMatch=Exact").status, 422);
}

TEST_F(ComponentStatusesTest, Tables) {
  const std::string accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const Replied list = Get("/api/v1/componentstatuses", accept);
  EXPECT_EQ(list.At("columnDefinitions.1.name"), "Status");
  EXPECT_EQ(list.At("rows.2.cells"), R"(["etcd-0","Healthy","ok",""])");
  EXPECT_EQ(list.At("rows.2.object.kind"), "PartialObjectMetadata");
  const Replied one = Get("/api/v1/componentstatuses/etcd-0?includeObject=Object", accept);
  EXPECT_EQ(one.At("kind"), "Table");
  EXPECT_EQ(one.At("rows.0.cells"), R"(["etcd-0","Healthy","ok",""])");
  EXPECT_EQ(one.At("rows.0.object.kind"), "ComponentStatus");
}

TEST_F(ComponentStatusesTest, PartialMetadata) {
  const Replied list = Get("/api/v1/componentstatuses",
                           "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io");
  EXPECT_EQ(list.At("kind"), "PartialObjectMetadataList");
  EXPECT_EQ(list.At("items.2.metadata.name"), "etcd-0");
  EXPECT_EQ(list.At("items.2.conditions"), "");
}

}  // namespace
}  // namespace podium::apiserver
