// Decode, encode, copy, protobuf, patches and apply of one full Pod (pod.json, 6 KB as a server
// stores it), and the documents that describe the API; beside Boost.JSON's parse into a DOM and its
// serialization of the same bytes.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "api/openapi/document.h"
#include "api/types/core_v1.h"
#include "base/bulk_heap.h"
#include "reflect/apply/field_manager.h"
#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/json_value.h"
#include "reflect/patch/json_merge_patch.h"
#include "reflect/patch/json_patch.h"
#include "reflect/patch/strategic_patch.h"
#include "reflect/protobuf.h"

namespace {

using podium::api::core::v1::Pod;
namespace reflect = podium::reflect;

const reflect::Type& PodType() { return reflect::TypeOf<Pod>(); }

std::string ReadPod() {
  std::ifstream in(PODIUM_SOURCE_DIR "/bench/pod.json", std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

const std::string& PodJson() {
  static const std::string text = ReadPod();
  return text;
}

const Pod& DecodedPod() {
  static const Pod pod = [] {
    auto decoded = reflect::FromJson<Pod>(PodJson());
    if (!decoded.ok() || *reflect::ToJson(*decoded) != PodJson()) {
      std::fprintf(stderr, "pod.json does not survive: %s\n",
                   decoded.ok() ? "other bytes" : decoded.error().message().c_str());
      std::exit(1);
    }
    return *std::move(decoded);
  }();
  return pod;
}

const std::string& PodProtobuf() {
  static const std::string bytes = [] {
    std::string out;
    if (!reflect::EncodeEnveloped(PodType(), &DecodedPod(), &out).ok()) std::exit(1);
    return out;
  }();
  return bytes;
}

void DomParse(benchmark::State& state) {
  const std::string& text = PodJson();
  for (auto _ : state) benchmark::DoNotOptimize(boost::json::parse(text));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}

void Decode(benchmark::State& state) {
  const std::string& text = PodJson();
  for (auto _ : state) {
    Pod pod;
    if (!reflect::DecodeJson(text, PodType(), &pod).empty()) std::exit(1);
    benchmark::DoNotOptimize(pod);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}

void DomSerialize(benchmark::State& state) {
  const boost::json::value value = boost::json::parse(PodJson());
  for (auto _ : state) benchmark::DoNotOptimize(boost::json::serialize(value));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * PodJson().size()));
}

void Encode(benchmark::State& state) {
  for (auto _ : state) {
    std::string out;
    if (!reflect::EncodeJson(PodType(), &DecodedPod(), &out).ok()) std::exit(1);
    benchmark::DoNotOptimize(out);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * PodJson().size()));
}

void Copy(benchmark::State& state) {
  for (auto _ : state) {
    Pod pod;
    reflect::CopyObject(PodType(), &DecodedPod(), &pod);
    benchmark::DoNotOptimize(pod);
  }
}

void Equal(benchmark::State& state) {
  const Pod other = reflect::Copy(DecodedPod());
  for (auto _ : state) {
    if (!reflect::Equal(other, DecodedPod())) std::exit(1);
  }
}

void ProtobufEncode(benchmark::State& state) {
  for (auto _ : state) {
    std::string out;
    if (!reflect::EncodeEnveloped(PodType(), &DecodedPod(), &out).ok()) std::exit(1);
    benchmark::DoNotOptimize(out);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * PodProtobuf().size()));
}

void ProtobufDecode(benchmark::State& state) {
  const std::string& bytes = PodProtobuf();
  for (auto _ : state) {
    Pod pod;
    if (!reflect::DecodeEnveloped(bytes, PodType(), &pod).ok()) std::exit(1);
    benchmark::DoNotOptimize(pod);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes.size()));
}

// One changed field, as a server does it: from the stored bytes and those of the patch to the
// decoded Pod that is to be stored.
enum class PatchKind { kStrategic, kMerge, kJson };

template <PatchKind kind>
reflect::JsonValue Patched(reflect::JsonValue document, std::string_view text) {
  auto patch = reflect::ParseJson(text);
  if (!patch.ok()) std::exit(1);
  bool applied = true;
  if constexpr (kind == PatchKind::kStrategic) {
    applied = reflect::ApplyStrategicPatch(PodType(), *std::move(patch), &document).ok();
  } else if constexpr (kind == PatchKind::kMerge) {
    reflect::ApplyMergePatch(*patch, &document);
  } else {
    const auto operations = reflect::JsonPatch::FromValue(*std::move(patch));
    applied = operations.ok() && operations->Apply(&document).ok();
  }
  if (!applied) std::exit(1);
  return document;
}

template <PatchKind kind>
void Patch(benchmark::State& state, const char* text) {
  for (auto _ : state) {
    auto document = reflect::ParseJson(PodJson());
    if (!document.ok()) std::exit(1);
    const std::string result = ToText(Patched<kind>(*std::move(document), text));
    Pod pod;
    if (!reflect::DecodeJson(result, PodType(), &pod).empty()) std::exit(1);
    if (pod.spec.containers[0].image != "changed") std::exit(1);
    benchmark::DoNotOptimize(pod);
  }
}

const std::string& StrategicText() {
  static const std::string text = R"({"spec":{"containers":[{"name":")" +
                                  DecodedPod().spec.containers[0].name +
                                  R"(","image":"changed"}]}})";
  return text;
}
constexpr const char* kJsonText =
    R"([{"op":"replace","path":"/spec/containers/0/image","value":"changed"}])";

// The trees that patches work on: there and back, without anything done to them.
void Tree(benchmark::State& state) {
  for (auto _ : state) {
    auto document = reflect::ParseJson(PodJson());
    if (!document.ok()) std::exit(1);
    benchmark::DoNotOptimize(ToText(*document));
  }
}

void StrategicPatch(benchmark::State& state) {
  Patch<PatchKind::kStrategic>(state, StrategicText().c_str());
}

void JsonPatch(benchmark::State& state) { Patch<PatchKind::kJson>(state, kJsonText); }

// A merge patch replaces lists: the label is what it can change.
void MergePatch(benchmark::State& state) {
  for (auto _ : state) {
    auto document = reflect::ParseJson(PodJson());
    if (!document.ok()) std::exit(1);
    const std::string result = ToText(Patched<PatchKind::kMerge>(
        *std::move(document), R"({"metadata":{"labels":{"changed":"yes"}}})"));
    Pod pod;
    if (!reflect::DecodeJson(result, PodType(), &pod).empty()) std::exit(1);
    if (!pod.metadata.labels.contains("changed")) std::exit(1);
    benchmark::DoNotOptimize(pod);
  }
}

// Server-side apply of another image, by who has applied one before.
const reflect::FieldManager& PodManager() {
  static const reflect::FieldManager manager(
      {.type = &PodType(), .api_version = "v1", .kind = "Pod", .hooks = {}});
  return manager;
}

std::string ConfigText(std::string_view image) {
  const Pod& pod = DecodedPod();
  return R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")" + pod.metadata.name +
         R"(","namespace":")" + pod.metadata.namespace_ + R"("},"spec":{"containers":[{"name":")" +
         pod.spec.containers[0].name + R"(","image":")" + std::string(image) + R"("}]}})";
}

std::string AppliedText(const std::string& live, const std::string& config, bool force) {
  auto object = reflect::ParseJson(live);
  const auto applied = reflect::ParseJson(config);
  if (!object.ok() || !applied.ok()) std::exit(1);
  const auto outcome =
      PodManager().Apply(*std::move(object), *applied,
                         {.manager = "ci", .time = "2026-03-14T09:26:53Z", .force = force});
  if (!outcome.ok() || !outcome->conflicts.empty()) std::exit(1);
  return ToText(outcome->object);
}

void Apply(benchmark::State& state) {
  const std::string live = AppliedText(PodJson(), ConfigText("first"), true);
  const std::string config = ConfigText("changed");
  for (auto _ : state) {
    const std::string result = AppliedText(live, config, false);
    Pod pod;
    if (!reflect::DecodeJson(result, PodType(), &pod).empty()) std::exit(1);
    if (pod.spec.containers[0].image != "changed") std::exit(1);
    benchmark::DoNotOptimize(pod);
  }
}

// The merge alone, of a tree that is there, with the copy of that tree.
void StrategicMergeOfTrees(benchmark::State& state) {
  auto document = reflect::ParseJson(PodJson());
  if (!document.ok()) std::exit(1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(Patched<PatchKind::kStrategic>(*document, StrategicText()));
  }
}

// What a server says of its API, made once at its start.
template <podium::api::openapi::Encoding encoding>
void OpenapiV2(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(podium::api::openapi::V2Document(encoding, {}));
  }
}

// Every document, for the index has the hash of each.
void OpenapiV3(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(podium::api::openapi::V3Index({}));
}

struct Entry {
  const char* name;
  void (*run)(benchmark::State& state);
};

constexpr Entry kEntries[] = {
    {"DomParse", DomParse},
    {"Decode", Decode},
    {"DomSerialize", DomSerialize},
    {"Encode", Encode},
    {"Copy", Copy},
    {"Equal", Equal},
    {"ProtobufEncode", ProtobufEncode},
    {"ProtobufDecode", ProtobufDecode},
    {"Tree", Tree},
    {"StrategicPatch", StrategicPatch},
    {"JsonPatch", JsonPatch},
    {"MergePatch", MergePatch},
    {"Apply", Apply},
    {"StrategicMergeOfTrees", StrategicMergeOfTrees},
    {"OpenapiV2", OpenapiV2<podium::api::openapi::Encoding::kJson>},
    {"OpenapiV2Protobuf", OpenapiV2<podium::api::openapi::Encoding::kProtobuf>},
    {"OpenapiV3", OpenapiV3},
};

// Takes --iterations=N off the arguments: so often each, for counting instructions. 0 without it.
int64_t TakeIterations(int* argc, char** argv) {
  constexpr std::string_view kFlag = "--iterations=";
  int64_t iterations = 0;
  const auto taken = [&](const char* argument) {
    if (!std::string_view(argument).starts_with(kFlag)) return false;
    iterations = std::atoll(argument + kFlag.size());
    return true;
  };
  *argc = static_cast<int>(std::remove_if(argv + 1, argv + *argc, taken) - argv);
  return iterations;
}

}  // namespace

int main(int argc, char** argv) {
  // Tests are built with sanitizers, which keep their own operator new.
  if (!podium::bulk::Owns(DecodedPod().spec.containers.data())) {
    std::fprintf(stderr, "a decoded Pod is not in the bulk heap\n");
    return 1;
  }
  const int64_t iterations = TakeIterations(&argc, argv);
  for (const auto& [name, run] : kEntries) {
    auto* entry = benchmark::RegisterBenchmark(name, run);
    if (iterations > 0) entry->Iterations(iterations);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
