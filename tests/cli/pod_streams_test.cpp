#include "cli/pod_streams.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "base/unique_fd.h"
#include "cli/pod_target.h"
#include "reflect/json_value.h"

namespace podium::cli {
namespace {

namespace v1 = api::core::v1;

v1::Pod PodOf() {
  v1::Pod pod;
  pod.metadata.name = "p";
  pod.metadata.namespace_ = "n";
  pod.spec.containers.resize(2);
  pod.spec.containers[0].name = "a";
  pod.spec.containers[1].name = "b";
  pod.spec.initContainers.resize(1);
  pod.spec.initContainers[0].name = "i";
  pod.spec.ephemeralContainers.resize(1);
  pod.spec.ephemeralContainers[0].name = "e";
  return pod;
}

// The choice, and what people are told of it.
struct Chosen {
  Result<std::string> name;
  std::string told;
};

Chosen Choose(const v1::Pod& pod, std::string_view name, bool quiet = false) {
  const UniqueFd err(memfd_create("err", MFD_CLOEXEC));
  Streams streams;
  streams.err = err.get();
  auto chosen = ChosenContainer(pod, name, quiet, streams);
  std::string told(4096, '\0');
  const ssize_t size = pread(err.get(), told.data(), told.size(), 0);
  told.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return {std::move(chosen), std::move(told)};
}

TEST(ChosenContainer, OneOfSeveralIsTold) {
  const Chosen chosen = Choose(PodOf(), "");
  EXPECT_EQ(*chosen.name, "a");
  EXPECT_EQ(chosen.told, "Defaulted container \"a\" out of: a, b, e (ephem), i (init)\n");
  EXPECT_EQ(Choose(PodOf(), "", true).told, "");
  v1::Pod single = PodOf();
  single.spec.containers.resize(1);
  single.spec.initContainers.clear();
  single.spec.ephemeralContainers.clear();
  EXPECT_EQ(Choose(single, "").told, "");
}

TEST(ChosenContainer, ByNameOrAnnotation) {
  for (const char* name : {"b", "i", "e"}) {
    const Chosen chosen = Choose(PodOf(), name);
    EXPECT_EQ(*chosen.name, name);
    EXPECT_EQ(chosen.told, "");
  }
  v1::Pod noted = PodOf();
  noted.metadata.annotations["kubectl.kubernetes.io/default-container"] = "b";
  EXPECT_EQ(*Choose(noted, "").name, "b");
  EXPECT_EQ(Choose(noted, "").told, "");
  noted.metadata.annotations["kubectl.kubernetes.io/default-container"] = "gone";
  EXPECT_EQ(*Choose(noted, "").name, "a");
}

TEST(ChosenContainer, WhatIsNotThere) {
  const Chosen chosen = Choose(PodOf(), "x");
  ASSERT_FALSE(chosen.name.ok());
  EXPECT_EQ(chosen.name.error().message(), "container x not found in pod p");
  v1::Pod empty = PodOf();
  empty.spec.containers.clear();
  EXPECT_EQ(Choose(empty, "").name.error().message(), "pod n/p does not have any containers");
}

std::string SelectorOf(std::string_view json) {
  const auto object = reflect::ParseJson(json);
  const auto selector = PodSelectorOf(*object);
  return selector.ok() ? *selector : "error: " + selector.error().message();
}

TEST(PodSelectorOf, LabelsAndExpressions) {
  EXPECT_EQ(SelectorOf(R"({"kind":"Service","spec":{"selector":{"b":"c","a":"b"}}})"), "a=b,b=c");
  EXPECT_EQ(SelectorOf(R"({"kind":"Deployment","spec":{"selector":{"matchLabels":{"a":"b"},)"
                       R"("matchExpressions":[{"key":"c","operator":"In","values":["x","y"]},)"
                       R"({"key":"d","operator":"DoesNotExist"}]}}})"),
            "a=b,c in (x,y),!d");
  EXPECT_EQ(SelectorOf(R"({"kind":"Service","metadata":{"name":"s"},"spec":{"selector":{}}})"),
            "error: invalid service 's': Service is defined without a selector");
  EXPECT_EQ(SelectorOf(R"({"kind":"ConfigMap"})"), "error: selector for ConfigMap not implemented");
}

}  // namespace
}  // namespace podium::cli
