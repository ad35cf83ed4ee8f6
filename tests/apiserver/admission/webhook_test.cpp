// Webhooks, asked over real TLS on loopback.
#include <gmock/gmock.h>

#include <atomic>
#include <ctime>
#include <fstream>
#include <mutex>

#include "api/types/admission_v1.h"
#include "api/types/admissionregistration_v1.h"
#include "api/types/apiextensions_v1.h"
#include "api/types/autoscaling_v1.h"
#include "api/types/autoscaling_v2.h"
#include "api/types/core_v1.h"
#include "api/types/discovery_v1.h"
#include "apiserver/admission/admission_fixture.h"
#include "apiserver/admission/chain.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/admission/webhooks.h"
#include "apiserver/custom_resources/custom_objects.h"
#include "apiserver/custom_resources/custom_version.h"
#include "http/peer.h"
#include "pki/certificate_authority.h"
#include "pki/keys.h"
#include "reflect/base64.h"

namespace podium::apiserver {
namespace {

using api::admission::v1::AdmissionReview;
using api::admissionregistration::v1::MutatingWebhookConfiguration;
using api::admissionregistration::v1::ValidatingWebhookConfiguration;
using api::core::v1::ConfigMap;
using api::core::v1::Namespace;
using api::core::v1::Service;
using api::discovery::v1::EndpointSlice;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string Base64(std::string_view bytes) {
  std::string text;
  reflect::AppendBase64(bytes, &text);
  return text;
}

// Answers every POST with what the test makes of its review.
class WebhookServer {
 public:
  // The members of `response` beside uid, or, beginning with "HTTP", a whole answer.
  using Answer = std::function<std::string(const AdmissionReview& review)>;

  explicit WebhookServer(Answer answer, const std::string& certificate = "server")
      : answer_(std::move(answer)),
        server_([this](http::Peer& peer, int) { Play(peer); }, {.certificate = certificate}) {}

  std::string Url(const std::string& path) const {
    return "https://127.0.0.1:" + std::to_string(server_.port()) + path;
  }
  uint16_t port() const { return server_.port(); }
  std::vector<std::string> TakeHeads() {
    const std::lock_guard lock(mutex_);
    return std::move(heads_);
  }
  std::vector<std::string> TakeBodies() {
    const std::lock_guard lock(mutex_);
    return std::move(bodies_);
  }
  int connections() const { return server_.connections(); }

  std::atomic<bool> says_close = true;

 private:
  // One request; then the connection is closed, which the answer says or not.
  void Play(http::Peer& peer) {
    const std::string head = peer.ReadHead();
    const std::string wanted = "Content-Length: ";
    const size_t at = head.find(wanted);
    if (at == head.npos) return;
    const std::string body = peer.ReadExactly(std::stoul(head.substr(at + wanted.size())));
    const auto review = reflect::FromJson<AdmissionReview>(body);
    {
      const std::lock_guard lock(mutex_);
      heads_.push_back(head);
      bodies_.push_back(body);
    }
    if (!review.ok()) {
      ADD_FAILURE() << review.error().message();
      return;
    }
    std::string made = answer_(*review);
    if (!made.starts_with("HTTP")) {
      made = R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":")" +
             review->request->uid + "\"," + made + "}}";
      made =
          "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(made.size()) + "\r\n\r\n" + made;
    }
    if (says_close) made.insert(made.find("\r\n"), "\r\nConnection: close");
    peer.Send(made);
  }

  Answer answer_;
  std::mutex mutex_;
  std::vector<std::string> heads_;
  std::vector<std::string> bodies_;
  http::PeerServer server_;
};

class WebhookTest : public AdmissionTest {
 protected:
  const std::unique_ptr<AdmissionPlugin> mutating_ = NewMutatingAdmissionWebhook(dependencies_);
  const std::unique_ptr<AdmissionPlugin> validating_ = NewValidatingAdmissionWebhook(dependencies_);

  static std::string Roots() { return Base64(http::TestCertificates::Get().Read("ca.pem")); }
  // A webhook of everything about config maps; `more` begins with a comma.
  static std::string Hook(const std::string& name, const std::string& url,
                          const std::string& more = "") {
    return R"({"name":")" + name + R"(","clientConfig":{"url":")" + url + R"(","caBundle":")" +
           Roots() + R"("},"rules":[{"operations":["*"],"apiGroups":[""],"apiVersions":["v1"],
           "resources":["configmaps"]}],"sideEffects":"None","timeoutSeconds":5,
           "admissionReviewVersions":["v1"])" +
           more + "}";
  }
  void PutValidating(const std::string& name, const std::string& hooks) {
    Put<ValidatingWebhookConfiguration>(R"({"metadata":{"name":")" + name + R"("},"webhooks":[)" +
                                        hooks + "]}");
  }
  void PutMutating(const std::string& name, const std::string& hooks) {
    Put<MutatingWebhookConfiguration>(R"({"metadata":{"name":")" + name + R"("},"webhooks":[)" +
                                      hooks + "]}");
  }
  static std::string Patch(const std::string& operations) {
    return R"("allowed":true,"patchType":"JSONPatch","patch":")" + Base64(operations) + "\"";
  }
};

const std::string kMap = R"({"metadata":{"name":"m","namespace":"ns"},"data":{"a":"b"}})";

TEST_F(WebhookTest, NobodyIsAskedWithoutAConfiguration) {
  Writing<ConfigMap> write(kMap);
  EXPECT_FALSE(mutating_->MayBlock(write.request));
  EXPECT_FALSE(validating_->MayBlock(write.request));
  EXPECT_EQ(Admit(*mutating_, write.request), "");
  EXPECT_EQ(Validate(*validating_, write.request), "");
}

TEST_F(WebhookTest, AReviewHasAllOfTheRequest) {
  WebhookServer server([](const AdmissionReview&) {
    return R"("allowed":true,"warnings":["old"],"auditAnnotations":{"k":"v"})";
  });
  PutValidating("c", Hook("w.example.com", server.Url("/check")));
  Writing<ConfigMap> write(R"({"metadata":{"name":"m","namespace":"ns"}})", kMap, "");
  write.user = {.name = "alice", .uid = "7", .groups = {"g"}, .extra = {{"x", {"y"}}}};
  api::meta::v1::UpdateOptions options;
  options.fieldManager = "me";
  write.request.options_type = &reflect::TypeOf<api::meta::v1::UpdateOptions>();
  write.request.options = &options;
  write.request.dry_run = true;
  EXPECT_TRUE(validating_->MayBlock(write.request));
  ASSERT_EQ(Validate(*validating_, write.request), "");
  EXPECT_THAT(write.warnings, ElementsAre("old"));
  EXPECT_THAT(write.annotations, ElementsAre("w.example.com/k=v"));
  const auto heads = server.TakeHeads();
  ASSERT_EQ(heads.size(), 1U);
  EXPECT_THAT(heads[0], testing::StartsWith("POST /check?timeout=5s HTTP/1.1\r\n"));
  EXPECT_THAT(heads[0], HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(heads[0], HasSubstr("User-Agent: kube-apiserver-admission\r\n"));
  std::string body = server.TakeBodies()[0];
  const std::string uid = Parse<AdmissionReview>(body).request->uid;
  EXPECT_EQ(uid.size(), 36U);
  body.replace(body.find(uid), uid.size(), "U");
  EXPECT_EQ(
      body,
      R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"U",)"
      R"("kind":{"group":"","version":"v1","kind":"ConfigMap"},)"
      R"("resource":{"group":"","version":"v1","resource":"configmaps"},)"
      R"("requestKind":{"group":"","version":"v1","kind":"ConfigMap"},)"
      R"("requestResource":{"group":"","version":"v1","resource":"configmaps"},)"
      R"("name":"m","namespace":"ns","operation":"UPDATE",)"
      R"("userInfo":{"username":"alice","uid":"7","groups":["g"],"extra":{"x":["y"]}},)"
      R"("object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"m","namespace":"ns"},"data":{"a":"b"}},)"
      R"("oldObject":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"m","namespace":"ns"}},)"
      R"("dryRun":true,"options":{"kind":"UpdateOptions","apiVersion":"meta.k8s.io/v1","fieldManager":"me"}}})");
}

TEST_F(WebhookTest, AConnectionThatIsGoneIsNoFailure) {
  WebhookServer server([](const AdmissionReview&) { return R"("allowed":true)"; });
  server.says_close = false;
  PutValidating("c", Hook("w", server.Url("/")));
  for (int i = 0; i < 3; ++i) {
    Writing<ConfigMap> write(kMap);
    EXPECT_EQ(Validate(*validating_, write.request), "");
  }
  EXPECT_EQ(server.connections(), 3);
}

TEST_F(WebhookTest, RefusalsSayWhoRefused) {
  std::string answer;
  WebhookServer server([&](const AdmissionReview&) { return answer; });
  PutValidating("c", Hook("w.example.com", server.Url("/")));
  const auto status = [&](const std::string& made) {
    answer = made;
    Writing<ConfigMap> write(kMap);
    const auto result = validating_->Validate(write.request);
    EXPECT_FALSE(result.ok());
    const auto found = api::StatusOf(result.error());
    return std::to_string(found.code) + " " + found.reason + " " + found.message;
  };
  const std::string by = R"(admission webhook "w.example.com" denied the request)";
  EXPECT_EQ(status(R"("allowed":false)"), "400  " + by + " without explanation");
  EXPECT_EQ(status(R"("allowed":false,"status":{"code":403,"reason":"Forbidden","message":"no"})"),
            "403 Forbidden " + by + ": no");
  EXPECT_EQ(status(R"("allowed":false,"status":{"status":"Success","code":200,"reason":"Odd"})"),
            "400 Odd " + by + ": Odd");
}

// attacks.md: redirects (CVE-2022-3172), and nothing of what a webhook says that is no review.
TEST_F(WebhookTest, RedirectsAreNotFollowedAndNothingIsEchoed) {
  std::string answer;
  WebhookServer secret([](const AdmissionReview&) { return R"("allowed":true)"; });
  WebhookServer server([&](const AdmissionReview&) { return answer; });
  PutValidating("c", Hook("w.example.com", server.Url("/x")));
  const auto error = [&](const std::string& made) {
    answer = made;
    Writing<ConfigMap> write(kMap);
    const auto result = validating_->Validate(write.request);
    EXPECT_FALSE(result.ok());
    EXPECT_EQ(api::StatusOf(result.error()).code, 500);
    EXPECT_THAT(result.error().message(), Not(HasSubstr("geheim")));
    return result.error().message();
  };
  const std::string failed = R"(Internal error occurred: failed calling webhook "w.example.com": )";
  EXPECT_EQ(error("HTTP/1.1 302 Found\r\nLocation: " + secret.Url("/") +
                  "\r\nContent-Length: 6\r\n\r\ngeheim"),
            failed + R"(failed to call webhook: Post ")" + server.Url("/x") +
                R"(?timeout=5s": the server answered with status 302)");
  EXPECT_EQ(secret.connections(), 0);
  EXPECT_THAT(error("HTTP/1.1 500 geheim\r\nContent-Length: 6\r\n\r\ngeheim"),
              HasSubstr("the server answered with status 500"));
  const std::string invalid = failed + "received invalid webhook response: ";
  const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: ";
  EXPECT_EQ(error(ok + "6\r\n\r\ngeheim"),
            invalid + "the answer could not be read as an AdmissionReview");
  EXPECT_EQ(error(ok + "2\r\n\r\n{}"),
            invalid + "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview");
  EXPECT_EQ(error(ok + "62\r\n\r\n" +
                  R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"} )"),
            invalid + "webhook response was absent");
  EXPECT_EQ(error(R"("allowed":true,"patch":"e30=")"),
            invalid + "validating webhook may not return response.patch");
  // More than a review may have.
  EXPECT_THAT(error(ok + "4000000\r\n\r\n" + std::string(4000000, ' ')), HasSubstr(failed));
}

TEST_F(WebhookTest, AnotherUidIsNoAnswer) {
  WebhookServer server([](const AdmissionReview&) {
    const std::string body =
        R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"other","allowed":true}})";
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  });
  PutValidating("c", Hook("w", server.Url("/")));
  Writing<ConfigMap> write(kMap);
  EXPECT_THAT(Validate(*validating_, write.request), HasSubstr("expected response.uid="));
}

// attacks.md: server-side request forgery (CVE-2020-8555).
TEST_F(WebhookTest, ServerSideRequestForgeryLinkLocalAddressesAreRefused) {
  for (const std::string host : {"169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]"}) {
    PutValidating("c", Hook("w", "https://" + host + "/latest"));
    Writing<ConfigMap> write(kMap);
    EXPECT_THAT(Validate(*validating_, write.request),
                HasSubstr("link-local addresses are refused"));
  }
}

TEST_F(WebhookTest, FailuresAreIgnoredWhereThePolicySaysSo) {
  PutValidating("c", Hook("w", "https://127.0.0.1:1/", R"(,"failurePolicy":"Ignore")"));
  Writing<ConfigMap> write(kMap);
  EXPECT_EQ(Validate(*validating_, write.request), "");
  EXPECT_THAT(write.annotations,
              ElementsAre("failed-open.validating.webhook.admission.k8s.io/round_0_index_0=w"));
  PutValidating("c", Hook("w", "https://127.0.0.1:1/", R"(,"failurePolicy":"Fail")"));
  EXPECT_THAT(Validate(*validating_, write.request), HasSubstr("failed calling webhook"));
}

TEST_F(WebhookTest, TheCertificateMustBeTheBundles) {
  WebhookServer server([](const AdmissionReview&) { return R"("allowed":true)"; }, "other");
  PutValidating("c", Hook("w", server.Url("/")));
  Writing<ConfigMap> write(kMap);
  EXPECT_THAT(Validate(*validating_, write.request), HasSubstr("failed to call webhook"));
  EXPECT_THAT(server.TakeHeads(), IsEmpty());
}

TEST_F(WebhookTest, SlowWebhooksTimeOutAndWaitSideBySide) {
  WebhookServer slow([](const AdmissionReview&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2500));
    return R"("allowed":true)";
  });
  std::string hook = Hook("w", slow.Url("/"));
  hook.replace(hook.find(R"("timeoutSeconds":5)"), 18, R"("timeoutSeconds":1)");
  PutValidating("a", hook);
  PutValidating("b", hook);
  PutValidating("c", hook);
  Writing<ConfigMap> write(kMap);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(Validate(*validating_, write.request), HasSubstr("failed to call webhook"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(2400));
}

// ?timeout= of a request: nothing is written any more, whatever a webhook's failure policy says.
TEST_F(WebhookTest, NobodyIsWaitedForLongerThanTheRequestMayTake) {
  WebhookServer slow([](const AdmissionReview&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2500));
    return R"("allowed":true)";
  });
  PutValidating("c", Hook("w", slow.Url("/"), R"(,"failurePolicy":"Ignore")"));
  AdmissionPlugins plugins;
  plugins.push_back(NewValidatingAdmissionWebhook(dependencies_));
  const AdmissionChain chain(std::move(plugins));
  Writing<ConfigMap> write(kMap);
  const auto begin = std::chrono::steady_clock::now();
  write.request.deadline = begin + std::chrono::milliseconds(300);
  const auto validated = chain.Validate(write.request);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(2400));
  ASSERT_FALSE(validated.ok());
  EXPECT_EQ(api::StatusOf(validated.error()).code, 504);
  EXPECT_EQ(validated.error().message(),
            "Timeout: request did not complete within requested timeout - context deadline "
            "exceeded");
}

TEST_F(WebhookTest, DryRunsAreForWebhooksWithoutSideEffects) {
  WebhookServer server([](const AdmissionReview&) { return R"("allowed":true)"; });
  std::string hook = Hook("w", server.Url("/"));
  hook.replace(hook.find(R"("sideEffects":"None")"), 20, R"("sideEffects":"Some")");
  PutValidating("c", hook);
  PutMutating("c", hook);
  Writing<ConfigMap> write(kMap);
  write.request.dry_run = true;
  EXPECT_EQ(Validate(*validating_, write.request),
            R"(admission webhook "w" does not support dry run)");
  EXPECT_EQ(Admit(*mutating_, write.request), R"(admission webhook "w" does not support dry run)");
  EXPECT_THAT(server.TakeHeads(), IsEmpty());
}

TEST_F(WebhookTest, PatchesAreAppliedOneAfterTheOther) {
  WebhookServer server([](const AdmissionReview& review) {
    // The later one sees what the earlier one did.
    const bool first = !review.request->object.text.contains("one");
    return first ? Patch(R"([{"op":"add","path":"/data/one","value":"1"}])")
                 : Patch(R"([{"op":"test","path":"/data/one","value":"1"},
                             {"op":"replace","path":"/data/a","value":"c"}])");
  });
  PutMutating("b", Hook("w2", server.Url("/")));
  PutMutating("a", Hook("w1", server.Url("/")));
  Writing<ConfigMap> write(kMap);
  ASSERT_EQ(Admit(*mutating_, write.request), "");
  EXPECT_EQ(Text(write.object),
            R"({"metadata":{"name":"m","namespace":"ns"},"data":{"a":"c","one":"1"}})");
  EXPECT_THAT(
      write.annotations,
      ElementsAre(
          R"(mutation.webhook.admission.k8s.io/round_0_index_0={"configuration":"a","webhook":"w1","mutated":true})",
          R"(mutation.webhook.admission.k8s.io/round_0_index_1={"configuration":"b","webhook":"w2","mutated":true})"));
}

TEST_F(WebhookTest, BadPatchesEndTheRequest) {
  std::string answer;
  WebhookServer server([&](const AdmissionReview&) { return answer; });
  PutMutating("c", Hook("w", server.Url("/"), R"(,"failurePolicy":"Ignore")"));
  const auto admit = [&](const std::string& made) {
    answer = made;
    Writing<ConfigMap> write(kMap);
    std::string error = Admit(*mutating_, write.request);
    EXPECT_EQ(Text(write.object), Text(Parse<ConfigMap>(kMap)));
    return error;
  };
  EXPECT_THAT(admit(Patch(R"([{"op":"remove","path":"/data/none"}])")),
              testing::StartsWith("Internal error occurred: "));
  EXPECT_THAT(admit(Patch(R"([{"op":"replace","path":"/data","value":7}])")),
              testing::StartsWith("Internal error occurred: "));
  EXPECT_EQ(admit(Patch("[]")), "");
  // No answer at all: the policy counts.
  EXPECT_EQ(admit(R"("allowed":true,"patch":"e30=")"), "");
  Writing<ConfigMap> gone(kMap);
  gone.BecomeDeletion();
  answer = Patch(R"([{"op":"remove","path":"/data"}])");
  EXPECT_EQ(
      Admit(*mutating_, gone.request),
      R"(Internal error occurred: admission webhook "w" attempted to modify the object, which )"
      "is not supported for this operation");
}

TEST_F(WebhookTest, WhoAskedForItIsCalledAgainAfterAChange) {
  // "first" wants to see changes; "second" makes one.
  std::vector<std::string> calls;
  std::mutex mutex;
  const auto log = [&](const std::string& call) {
    const std::lock_guard lock(mutex);
    calls.push_back(call);
  };
  WebhookServer first([&](const AdmissionReview& review) {
    log(review.request->object.text.contains("added") ? "first again" : "first");
    return R"("allowed":true)";
  });
  WebhookServer second([&](const AdmissionReview&) {
    log("second");
    return Patch(R"([{"op":"add","path":"/data/added","value":"1"}])");
  });
  PutMutating("a", Hook("first", first.Url("/"), R"(,"reinvocationPolicy":"IfNeeded")"));
  PutMutating("b", Hook("second", second.Url("/"), R"(,"reinvocationPolicy":"Never")"));
  AdmissionPlugins plugins;
  plugins.push_back(NewMutatingAdmissionWebhook(dependencies_));
  const AdmissionChain chain(std::move(plugins));
  Writing<ConfigMap> write(kMap);
  ASSERT_TRUE(chain.Admit(write.request).ok());
  EXPECT_THAT(calls, ElementsAre("first", "second", "first again"));
}

TEST_F(WebhookTest, ServicesAreFoundByTheirEndpointsAndKnownByTheirName) {
  const int64_t now = std::time(nullptr);
  constexpr int64_t kHour = 3600;
  const auto authority = pki::CertificateAuthority::Create("hooks", now - kHour, now + kHour);
  ASSERT_TRUE(authority.ok());
  const auto key = pki::PrivateKey::Generate();
  ASSERT_TRUE(key.ok());
  const auto certificate = authority->Issue(key->public_key(), {.subject = {.common_name = "hook"},
                                                                .names = {.dns = {"web.hooks.svc"}},
                                                                .usages = {.server_auth = true},
                                                                .not_before = now - kHour,
                                                                .not_after = now + kHour});
  ASSERT_TRUE(certificate.ok());
  const std::string base = http::TestCertificates::Get().folder + "/hook";
  std::ofstream(base + ".pem") << certificate->Pem();
  std::ofstream(base + ".key") << key->Pem();
  WebhookServer server([](const AdmissionReview&) { return R"("allowed":true)"; }, "hook");

  std::string hook = Hook("w", "URL");
  const std::string url = R"("url":"URL","caBundle":")" + Roots() + "\"";
  hook.replace(hook.find(url), url.size(),
               R"("service":{"namespace":"hooks","name":"web","path":"/p"},"caBundle":")" +
                   Base64(authority->certificate().Pem()) + "\"");
  PutValidating("c", hook);
  Writing<ConfigMap> write(kMap);
  const auto answer = [&] { return Validate(*validating_, write.request); };
  const std::string failed =
      R"(Internal error occurred: failed calling webhook "w": failed to call webhook: )";
  EXPECT_EQ(answer(), failed + R"(services "web" not found)");
  Put<Service>(
      R"({"metadata":{"name":"web","namespace":"hooks"},"spec":{"ports":[{"name":"p","port":444}]}})");
  EXPECT_EQ(answer(), failed + R"(no service port 443 found for service "web")");
  Put<Service>(
      R"({"metadata":{"name":"web","namespace":"hooks"},"spec":{"ports":[{"name":"other","port":80},
    {"name":"https","port":443}]}})");
  EXPECT_EQ(answer(), failed + R"(no endpoints available for service "web")");
  const auto put_slice = [&](const std::string& ready) {
    Put<EndpointSlice>(
        R"({"metadata":{"name":"s","namespace":"hooks","labels":{"kubernetes.io/service-name":"web"}},
      "addressType":"IPv4","ports":[{"name":"https","port":)" +
        std::to_string(server.port()) +
        R"(},{"name":"other","port":1}],"endpoints":[{"addresses":["127.0.0.1"],"conditions":{"ready":)" +
        ready + R"(}}]})");
  };
  put_slice("false");
  EXPECT_EQ(answer(), failed + R"(no endpoints available for service "web")");
  put_slice("true");
  EXPECT_EQ(answer(), "");
  const auto heads = server.TakeHeads();
  ASSERT_EQ(heads.size(), 1U);
  EXPECT_THAT(heads[0], testing::StartsWith("POST /p?timeout=5s HTTP/1.1\r\n"));
  EXPECT_THAT(heads[0], HasSubstr("Host: web.hooks.svc:443\r\n"));
}

TEST_F(WebhookTest, RulesAndSelectorsSayWhoIsAsked) {
  const auto asked = [&](const std::string& rule, const std::string& more,
                         AdmissionRequest& request) {
    PutValidating("c", R"({"name":"w","clientConfig":{"url":"https://127.0.0.1:1/"},"rules":[{)" +
                           rule + R"(}],"sideEffects":"None","admissionReviewVersions":["v1"])" +
                           more + "}");
    return validating_->MayBlock(request);
  };
  const auto rule = [](const std::string& operation, const std::string& group,
                       const std::string& version, const std::string& resource,
                       const std::string& scope = "*") {
    return R"("operations":[")" + operation + R"("],"apiGroups":[")" + group +
           R"("],"apiVersions":[")" + version + R"("],"resources":[")" + resource +
           R"("],"scope":")" + scope + "\"";
  };
  Put<Namespace>(R"({"metadata":{"name":"ns","labels":{"team":"a"}}})");
  Writing<ConfigMap> create(R"({"metadata":{"name":"m","namespace":"ns","labels":{"x":"y"}}})");
  AdmissionRequest& request = create.request;
  EXPECT_TRUE(asked(rule("*", "*", "*", "*"), "", request));
  EXPECT_TRUE(asked(rule("CREATE", "", "v1", "*/*"), "", request));
  EXPECT_TRUE(asked(rule("CREATE", "", "v1", "configmaps", "Namespaced"), "", request));
  EXPECT_FALSE(asked(rule("CREATE", "", "v1", "configmaps", "Cluster"), "", request));
  EXPECT_FALSE(asked(rule("UPDATE", "", "v1", "configmaps"), "", request));
  EXPECT_FALSE(asked(rule("CREATE", "apps", "v1", "configmaps"), "", request));
  EXPECT_FALSE(asked(rule("CREATE", "", "v2", "configmaps"), "", request));
  EXPECT_FALSE(asked(rule("CREATE", "", "v1", "configmaps/status"), "", request));
  const std::string all = rule("*", "*", "*", "*");
  EXPECT_TRUE(asked(all, R"(,"namespaceSelector":{"matchLabels":{"team":"a"}})", request));
  EXPECT_FALSE(asked(all, R"(,"namespaceSelector":{"matchLabels":{"team":"b"}})", request));
  EXPECT_TRUE(asked(all, R"(,"objectSelector":{"matchLabels":{"x":"y"}})", request));
  EXPECT_FALSE(asked(all, R"(,"objectSelector":{"matchLabels":{"x":"z"}})", request));
  // A namespace is chosen by its own labels.
  Writing<Namespace> space(R"({"metadata":{"name":"new","labels":{"team":"b"}}})");
  EXPECT_TRUE(asked(all, R"(,"namespaceSelector":{"matchLabels":{"team":"b"}})", space.request));
  EXPECT_FALSE(asked(all, R"(,"namespaceSelector":{"matchLabels":{"team":"a"}})", space.request));
  EXPECT_TRUE(asked(rule("*", "", "v1", "namespaces", "Cluster"), "", space.request));
  // What configures webhooks is told to none.
  Writing<ValidatingWebhookConfiguration> own(R"({"metadata":{"name":"c"}})");
  EXPECT_FALSE(asked(all, "", own.request));
}

TEST_F(WebhookTest, EquivalentResourcesAreShownAsTheRuleNamesThem) {
  using api::autoscaling::v2::HorizontalPodAutoscaler;
  WebhookServer server([](const AdmissionReview&) {
    return Patch(R"([{"op":"replace","path":"/spec/maxReplicas","value":9}])");
  });
  std::string hook = Hook("w", server.Url("/"));
  const std::string rules = R"("apiGroups":[""],"apiVersions":["v1"],
           "resources":["configmaps"])";
  hook.replace(
      hook.find(rules), rules.size(),
      R"("apiGroups":["autoscaling"],"apiVersions":["v1"],"resources":["horizontalpodautoscalers"])");
  PutMutating("c", hook);
  Writing<HorizontalPodAutoscaler> write(R"({"metadata":{"name":"h","namespace":"ns"},"spec":{
    "scaleTargetRef":{"kind":"Deployment","name":"d","apiVersion":"apps/v1"},"minReplicas":1,"maxReplicas":3}})");
  ASSERT_EQ(Admit(*mutating_, write.request), "");
  EXPECT_EQ(write.object.spec.maxReplicas, 9);
  const auto review = Parse<AdmissionReview>(server.TakeBodies()[0]);
  EXPECT_EQ(review.request->kind.version, "v1");
  EXPECT_EQ(review.request->requestKind->version, "v2");
  EXPECT_THAT(
      review.request->object.text,
      testing::StartsWith(R"({"kind":"HorizontalPodAutoscaler","apiVersion":"autoscaling/v1",)"));
  hook.insert(hook.size() - 1, R"(,"matchPolicy":"Exact")");
  PutMutating("c", hook);
  EXPECT_FALSE(mutating_->MayBlock(write.request));
}

// A custom resource in v1 and v2, converted by None, which changes apiVersion alone.
class CustomWrite {
 public:
  CustomWrite() {
    const auto schema = [](const std::string& name, const std::string& more) {
      return R"({"name":")" + name + R"(","served":true,"storage":)" +
             (name == "v1" ? "true" : "false") +
             R"(,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object",)"
             R"("properties":{"size":{"type":"integer"})" +
             more + "}}}}}}";
    };
    const auto definition = Parse<api::apiextensions::v1::CustomResourceDefinition>(
        R"({"metadata":{"name":"tabs.x.example"},"spec":{"group":"x.example","scope":"Namespaced",)"
        R"("names":{"plural":"tabs","kind":"Tab"},"versions":[)" +
        schema("v1", "") + "," + schema("v2", R"(,"color":{"type":"string","default":"red"})") +
        R"(]},"status":{"acceptedNames":{"plural":"tabs","kind":"Tab"}}})");
    const auto resource = ReadDefinition(definition, nullptr);
    EXPECT_TRUE(resource.ok());
    version.resource = *resource;
    version.shown = version.resource->versions[0];
    auto taken =
        TakeCustomObject(version, *reflect::ParseJson(R"({"apiVersion":"x.example/v1","kind":"Tab",
                                "metadata":{"name":"t","namespace":"ns"},"spec":{"size":3}})"),
                         nullptr);
    EXPECT_TRUE(taken.ok());
    object = *std::move(taken);
    request.operation = Operation::kCreate;
    request.group = request.kind_group = "x.example";
    request.version = request.kind_version = "v1";
    request.resource = "tabs";
    request.kind = "Tab";
    request.namespace_ = "ns";
    request.name = "t";
    request.custom = &version;
    request.type = &object.type();
    request.object = object.get();
    request.user = &user;
  }
  std::string Spec() { return reflect::ToText(*CustomTree(object)->Find("spec")); }

  CustomVersion version;
  reflect::AnyObject object;
  User user{.name = "alice"};
  AdmissionRequest request;
};

TEST_F(WebhookTest, OtherVersionsOfCustomResourcesAreEquivalent) {
  WebhookServer server([](const AdmissionReview&) {
    return Patch(R"([{"op":"replace","path":"/spec/size","value":9},
                     {"op":"add","path":"/spec/color","value":"blue"}])");
  });
  std::string hook = Hook("w", server.Url("/"));
  const std::string rules = R"("apiGroups":[""],"apiVersions":["v1"],
           "resources":["configmaps"])";
  hook.replace(hook.find(rules), rules.size(),
               R"("apiGroups":["x.example"],"apiVersions":["v3","v2"],"resources":["tabs"])");
  PutMutating("c", hook);
  CustomWrite write;
  ASSERT_EQ(Admit(*mutating_, write.request), "");
  // What the request's version does not have is not kept.
  EXPECT_EQ(write.Spec(), R"({"size":9})");
  const auto review = Parse<AdmissionReview>(server.TakeBodies().at(0));
  EXPECT_EQ(review.request->kind.version, "v2");
  EXPECT_EQ(review.request->resource.version, "v2");
  EXPECT_EQ(review.request->requestKind->version, "v1");
  EXPECT_EQ(review.request->requestResource->version, "v1");
  const auto shown = reflect::ParseJson(review.request->object.text);
  ASSERT_TRUE(shown.ok());
  EXPECT_EQ(shown->Find("apiVersion")->string(), "x.example/v2");
  EXPECT_EQ(shown->Find("kind")->string(), "Tab");
  hook.insert(hook.size() - 1, R"(,"matchPolicy":"Exact")");
  PutMutating("c", hook);
  EXPECT_FALSE(mutating_->MayBlock(write.request));
}

}  // namespace
}  // namespace podium::apiserver
