// What it costs to know who makes a request: by the certificate of a connection that goes on, by a
// service account's token, and both the first time; and what keys and certificates cost.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "apiserver/authentication/request_authenticator.h"
#include "apiserver/authentication/service_account_tokens.h"
#include "apiserver/storage_keys.h"
#include "base/executor.h"
#include "pki/certificate_authority.h"
#include "reflect/json.h"
#include "store/memory_store.h"

namespace {

using podium::apiserver::Objects;
using podium::apiserver::RequestAuthenticator;
using podium::apiserver::ServiceAccountTokens;

constexpr int64_t kDay = 86400;

struct World {
  podium::SystemClock clock;
  podium::ThreadExecutor executor{2};
  podium::store::MemoryStore store{executor};
  Objects objects{store};
  int64_t now = clock.Now() / podium::kNanosPerSecond;
  podium::pki::CertificateAuthority ca =
      *podium::pki::CertificateAuthority::Create("kubernetes", now - 60, now + 3650 * kDay);
  podium::pki::PrivateKey key = *podium::pki::PrivateKey::Generate();
  ServiceAccountTokens tokens{*podium::pki::KeySet::Create({key.public_key()}), {}, objects, clock};
  std::unique_ptr<RequestAuthenticator> authenticator = MakeAuthenticator();
  std::vector<std::string> certificates = {
      ca.Issue(key.public_key(),
               {.subject = {.common_name = "kubernetes-admin", .organizations = {"system:masters"}},
                .usages = {.digital_signature = true, .client_auth = true},
                .not_before = now - 60,
                .not_after = now + 365 * kDay})
          ->der()};
  std::string header = "Bearer " + MakeToken();

  std::unique_ptr<RequestAuthenticator> MakeAuthenticator() {
    return *RequestAuthenticator::Create({.client_ca = ca.certificate().Pem(), .tokens = {&tokens}},
                                         clock);
  }

  template <class T>
  void Put(const T& object) {
    const std::string key_text =
        podium::apiserver::KeyOf(Objects::PrefixOf(podium::reflect::TypeOf<T>()),
                                 object.metadata.namespace_, object.metadata.name);
    if (!store.WriteAndWait({.key = key_text, .value = *podium::reflect::ToJson(object)}).ok()) {
      std::abort();
    }
  }

  std::string MakeToken() {
    podium::api::core::v1::ServiceAccount account;
    account.metadata.name = "default";
    account.metadata.namespace_ = "ns";
    account.metadata.uid = "sa";
    Put(account);
    podium::api::core::v1::Pod pod;
    pod.metadata.name = "web";
    pod.metadata.namespace_ = "ns";
    pod.metadata.uid = "pod";
    Put(pod);
    const auto issuer = podium::apiserver::ServiceAccountTokenIssuer::Create(
        key, std::string(podium::apiserver::kDefaultIssuer));
    return *issuer->Issue(
        {.subject = "system:serviceaccount:ns:default",
         .audiences = {std::string(podium::apiserver::kDefaultIssuer)},
         .id = "id",
         .expires = now + kDay,
         .name_space = "ns",
         .account = {"default", "sa"},
         .pod = podium::apiserver::ServiceAccountClaims::Reference{"web", "pod"}});
  }
};

World& TheWorld() {
  static auto* const world = new World;
  return *world;
}

void Check(benchmark::State& state, const podium::apiserver::Credentials& credentials) {
  RequestAuthenticator& authenticator = *TheWorld().authenticator;
  for (auto _ : state) {
    const auto who = authenticator.Authenticate(credentials);
    if (!who.ok()) std::abort();
    benchmark::DoNotOptimize(who->get());
  }
}

void CertificateKnown(benchmark::State& state) {
  Check(state, {.certificates = TheWorld().certificates, .path = "/api/v1/pods"});
}
BENCHMARK(CertificateKnown)->ThreadRange(1, 2);

void TokenKnown(benchmark::State& state) {
  Check(state, {.authorization = TheWorld().header, .path = "/api/v1/pods"});
}
BENCHMARK(TokenKnown)->ThreadRange(1, 2);

void CertificateNew(benchmark::State& state) {
  World& world = TheWorld();
  for (auto _ : state) {
    state.PauseTiming();
    const auto fresh = world.MakeAuthenticator();
    state.ResumeTiming();
    if (!fresh->Authenticate({.certificates = world.certificates}).ok()) std::abort();
  }
}
BENCHMARK(CertificateNew);

void TokenNew(benchmark::State& state) {
  World& world = TheWorld();
  const std::string_view token = std::string_view(world.header).substr(7);
  for (auto _ : state) {
    ServiceAccountTokens fresh(*podium::pki::KeySet::Create({world.key.public_key()}), {},
                               world.objects, world.clock);
    if (!fresh.AuthenticateToken(token, {}).ok()) std::abort();
  }
}
BENCHMARK(TokenNew);

void KeyAndCertificate(benchmark::State& state) {
  World& world = TheWorld();
  for (auto _ : state) {
    const auto key = podium::pki::PrivateKey::Generate();
    const auto made = world.ca.Issue(key->public_key(), {.subject = {.common_name = "x"},
                                                         .usages = {.server_auth = true},
                                                         .not_before = world.now,
                                                         .not_after = world.now + kDay});
    if (!made.ok()) std::abort();
  }
}
BENCHMARK(KeyAndCertificate);

}  // namespace

BENCHMARK_MAIN();
