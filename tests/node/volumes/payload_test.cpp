#include "node/volumes/payload.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "node/fake_objects.h"
#include "node/volumes/volumes.h"

namespace podium::node {
namespace {

// The volume is written in YAML: "configMap: {name: c}".
v1::Pod PodWith(const std::string& volume) {
  v1::Pod pod = PodOf("volumes: [{name: v, " + volume +
                      "}], containers: [{name: a, resources: {limits: {memory: 64Mi}}}]");
  pod.metadata.labels = {{"app", "web"}};
  return pod;
}

FakeObjects Objects() {
  FakeObjects objects;
  objects.AddConfigMap("c", {{"one", "1"}, {"two", "22"}}, {{"raw", std::string("\0\xff", 2)}});
  objects.AddSecret("s", {{"password", "hush"}});
  return objects;
}

Result<Payload> Make(const std::string& volume, const FakeObjects& objects = Objects()) {
  const v1::Pod pod = PodWith(volume);
  TRY(VolumeContent content, MakeContent(pod, pod.spec.volumes[0], objects, NodeConfig()));
  EXPECT_EQ(content.refresh_at, std::nullopt);
  return std::move(content.files);
}

TEST(MakeContent, FilesOfEachKind) {
  const std::pair<const char*, Payload> cases[] = {
      {"configMap: {name: c}",
       {{"one", {"1", 0644}}, {"two", {"22", 0644}}, {"raw", {std::string("\0\xff", 2), 0644}}}},
      {"configMap: {name: c, defaultMode: 256}",
       {{"one", {"1", 0400}}, {"two", {"22", 0400}}, {"raw", {std::string("\0\xff", 2), 0400}}}},
      {"configMap: {name: c, items: [{key: two, path: a/b, mode: 384}, {key: one, path: c}]}",
       {{"a/b", {"22", 0600}}, {"c", {"1", 0644}}}},
      {"configMap: {name: none, optional: true}", {}},
      {"configMap: {name: c, optional: true, items: [{key: none, path: x}, {key: one, path: "
       "other}]}",
       {{"other", {"1", 0644}}}},
      {"secret: {secretName: s}", {{"password", {"hush", 0644}}}},
      {"secret: {secretName: s, items: [{key: password, path: p}], defaultMode: 288}",
       {{"p", {"hush", 0440}}}},
      {"downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}, "
       "{path: memory, mode: 256, "
       "resourceFieldRef: {containerName: a, resource: limits.memory, divisor: 1Mi}}]}",
       {{"labels", {"app=\"web\"", 0644}}, {"memory", {"64", 0400}}}},
      {"projected: {defaultMode: 292, sources: [{configMap: {name: c, items: [{key: one, path: "
       "x}]}},"
       " {secret: {name: s}}, {secret: {name: none, optional: true}},"
       " {downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}}]}",
       {{"x", {"1", 0444}}, {"password", {"hush", 0444}}, {"name", {"p", 0444}}}},
  };
  for (const auto& [volume, files] : cases) {
    auto got = Make(volume);
    ASSERT_TRUE(got.ok()) << volume << ": " << got.error().message();
    EXPECT_EQ(*got, files) << volume;
  }
}

TEST(MakeContent, Errors) {
  const std::pair<const char*, const char*> cases[] = {
      {"configMap: {name: none}", "configmap \"none\" not found"},
      {"configMap: {name: c, items: [{key: none, path: x}]}",
       "configmap references non-existent config key: none"},
      {"secret: {secretName: none}", "secret \"none\" not found"},
      {"secret: {secretName: s, items: [{key: none, path: x}]}",
       "references non-existent secret key: none"},
      {"projected: {sources: [{configMap: {name: none}}, {secret: {name: absent}}, "
       "{configMap: {name: none}}]}",
       "[configmap \"none\" not found, secret \"absent\" not found]"},
      {"projected: {sources: [{secret: {name: absent}}]}", "secret \"absent\" not found"},
      {"projected: {sources: [{serviceAccountToken: {path: token}}]}",
       "a service account's token comes from an API server, and this node has none"},
      {"projected: {sources: [{clusterTrustBundle: {path: p, name: b}}]}",
       "volumes with a ClusterTrustBundle are not offered here"},
      {"projected: {sources: [{podCertificate: {signerName: a/b, keyType: ED25519, "
       "credentialBundlePath: c}}]}",
       "volumes with a pod's certificate are not offered here"},
  };
  for (const auto& [volume, message] : cases) {
    auto got = Make(volume);
    ASSERT_FALSE(got.ok()) << volume;
    EXPECT_EQ(got.error().message(), message);
  }
}

// The token's file, as "token mode owner".
std::string TokenOf(const std::string& rest) {
  FakeObjects objects = Objects();
  objects.tokens = true;
  const v1::Pod pod = PodOf(
      "serviceAccountName: sa, volumes: [{name: v, projected: {sources: ["
      "{serviceAccountToken: {path: t, audience: vault, expirationSeconds: 900}}, "
      "{serviceAccountToken: {path: u, audience: x, expirationSeconds: 600}}]}}], " +
      rest);
  auto content = MakeContent(pod, pod.spec.volumes[0], objects, NodeConfig());
  if (!content.ok()) return content.error().message();
  EXPECT_EQ(content->refresh_at, 600 * kSecond);
  const VolumeFile& file = content->files.at("t");
  char mode[8];
  std::snprintf(mode, sizeof(mode), "%o", file.mode);
  return file.data + " " + mode + " " + (file.owner ? std::to_string(*file.owner) : "-");
}

TEST(MakeContent, TokensBelongToTheUserOfAllContainers) {
  EXPECT_EQ(TokenOf("containers: [{name: a}]"), "token of sa for vault 644 -");
  EXPECT_EQ(TokenOf("securityContext: {runAsUser: 7}, containers: [{name: a}]"),
            "token of sa for vault 600 7");
  EXPECT_EQ(TokenOf("initContainers: [{name: i, securityContext: {runAsUser: 8}}], "
                    "containers: [{name: a, securityContext: {runAsUser: 8}}]"),
            "token of sa for vault 600 8");
  EXPECT_EQ(TokenOf("containers: [{name: a, securityContext: {runAsUser: 8}}, "
                    "{name: b, securityContext: {runAsUser: 9}}]"),
            "token of sa for vault 644 -");
  EXPECT_EQ(TokenOf("containers: [{name: a, securityContext: {runAsUser: 8}}, {name: b}]"),
            "token of sa for vault 644 -");
  EXPECT_EQ(TokenOf("securityContext: {fsGroup: 5}, containers: [{name: a}]"),
            "token of sa for vault 600 -");
}

// That an object is optional does not say that it may be taken for absent when nobody knows.
TEST(MakeContent, OptionalIsNotUnknown) {
  FakeObjects objects = Objects();
  objects.unreachable = true;
  auto got = Make("configMap: {name: c, optional: true}", objects);
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace podium::node
