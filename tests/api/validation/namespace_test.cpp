#include "api/validation/namespace.h"

#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using core::v1::Namespace;
using core::v1::ServiceAccount;

constexpr char kNamespace[] =
    R"({"metadata": {"name": "n"}, "spec": {"finalizers": ["kubernetes"]}})";
constexpr char kStandard[] =
    ": name is neither a standard finalizer name nor is it fully qualified";

TEST(Namespace, Create) {
  ExpectCreate<Namespace>(kNamespace,
                          {{{}, {}},
                           {{R"(spec.finalizers=["example.com/f"])"}, {}},
                           {{"metadata.name=\"a.b\"", "metadata.labels={}"},
                            {"metadata.name: Invalid value: \"a.b\": must not contain dots"}},
                           {{R"(spec.finalizers=["-","own"])"},
                            {"spec.finalizers: Invalid value: \"-\": " + kBadQualified,
                             std::string("spec.finalizers: Invalid value: \"-\"") + kStandard,
                             std::string("spec.finalizers: Invalid value: \"own\"") + kStandard}}});
}

TEST(Namespace, Update) {
  ExpectUpdate<Namespace>(kNamespace, {{{"metadata.labels.a=\"b\"", "spec.finalizers=[]"}, {}},
                                       {{"metadata.name=\"m\""},
                                        {"metadata.name: Invalid value: \"m\": field is "
                                         "immutable"}}});
  ExpectUpdate<Namespace>(
      kNamespace,
      {{{"spec.finalizers=[]"}, {}},
       {{R"(spec.finalizers=["example.com/f","own"])"},
        {std::string("spec.finalizers[1]: Invalid value: \"own\"") + kStandard}}},
      "finalize");
}

TEST(Namespace, Status) {
  ExpectUpdate<Namespace>(
      kNamespace,
      {{{"status.phase=\"Active\""}, {}},
       {{"status.phase=\"Terminating\""},
        {"status.Phase: Invalid value: \"Terminating\": may only be 'Active' if "
         "`deletionTimestamp` is empty"}}},
      "status");
  ExpectUpdate<Namespace>(
      Edited(kNamespace, {R"(metadata.deletionTimestamp="2026-01-01T00:00:00Z")"}),
      {{{"status.phase=\"Terminating\""}, {}},
       {{"status.phase=\"Active\""},
        {"status.Phase: Invalid value: \"Active\": may only be 'Terminating' if "
         "`deletionTimestamp` is not empty"}}},
      "status");
}

TEST(ServiceAccount, CreateAndUpdate) {
  constexpr char kAccount[] = R"({"metadata": {"name": "a", "namespace": "n"}})";
  ExpectCreate<ServiceAccount>(
      kAccount,
      {{{}, {}},
       {{"metadata.name=\"A\""}, {"metadata.name: Invalid value: \"A\": " + kBadSubdomain}}});
  ExpectUpdate<ServiceAccount>(
      kAccount,
      {{{R"(secrets=[{"name":"s"}])"}, {}},
       {{"metadata.uid=\"u\""}, {"metadata.uid: Invalid value: \"u\": field is immutable"}}});
}

}  // namespace
}  // namespace podium::api
