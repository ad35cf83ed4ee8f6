// Pieces of text that rows of tables and descriptions of objects share, as upstream's printers
// write them (k8s.io/kubernetes/pkg/printers/internalversion, k8s.io/kubectl/pkg/describe and their
// helpers; release 1.36). Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "api/time.h"
#include "api/types/core_v1.h"
#include "api/types/meta_v1.h"
#include "reflect/values.h"

namespace podium::api {

// What stands where there is nothing: upstream has several words.
inline constexpr std::string_view kNone = "<none>";
inline constexpr std::string_view kUnset = "<unset>";
inline constexpr std::string_view kUnknown = "<unknown>";

// How long ago; <unknown> for the zero time.
std::string Ago(Time then, Time now);
std::string Ago(MicroTime then, Time now);

// The first `most` of them, and how many more there are.
std::string JoinSome(std::span<const std::string> parts, size_t most, std::string_view between);
// "a=b,c=d" in the order of keys; <none>.
std::string LabelsText(const reflect::Map<std::string>& labels);
// <none> for one that restricts nothing and for none; <error> for a bad one.
std::string SelectorText(const meta::v1::LabelSelector* selector);

// An address and a port, as Go joins them.
std::string HostPort(std::string_view host, std::string_view port);
// What a node's labels say of its roles: "control-plane,worker", or nothing.
std::string RolesOf(const core::v1::Node& node);
// "RWO,ROX", in upstream's order and each once.
std::string AccessModes(std::span<const std::string> modes);
// Either makes a StorageClass the default one, when it is "true".
inline constexpr std::string_view kDefaultClassAnnotations[] = {
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class"};
// The class that a volume or a claim names: a beta annotation is still stronger than the field.
std::string_view StorageClassOf(const meta::v1::ObjectMeta& metadata, std::string_view field);

}  // namespace podium::api
