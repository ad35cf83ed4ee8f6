// Rules for the kinds of storage.k8s.io (upstream's pkg/apis/storage/validation, release 1.36). The
// objects have their defaults.
#pragma once

#include "api/field_errors.h"
#include "api/types/storage_v1.h"

namespace podium::api {

// storage_class.cpp
field::ErrorList ValidateStorageClass(const storage::v1::StorageClass& storage_class);
field::ErrorList ValidateStorageClassUpdate(const storage::v1::StorageClass& storage_class,
                                            const storage::v1::StorageClass& old_storage_class);
field::ErrorList ValidateVolumeAttributesClass(
    const storage::v1::VolumeAttributesClass& attributes_class);
field::ErrorList ValidateVolumeAttributesClassUpdate(
    const storage::v1::VolumeAttributesClass& attributes_class,
    const storage::v1::VolumeAttributesClass& old_attributes_class);
field::ErrorList ValidateCSIStorageCapacity(const storage::v1::CSIStorageCapacity& capacity);
field::ErrorList ValidateCSIStorageCapacityUpdate(
    const storage::v1::CSIStorageCapacity& capacity,
    const storage::v1::CSIStorageCapacity& old_capacity);

// csi.cpp
field::ErrorList ValidateCSIDriver(const storage::v1::CSIDriver& driver);
field::ErrorList ValidateCSIDriverUpdate(const storage::v1::CSIDriver& driver,
                                         const storage::v1::CSIDriver& old_driver);
field::ErrorList ValidateCSINode(const storage::v1::CSINode& csi_node);
field::ErrorList ValidateCSINodeUpdate(const storage::v1::CSINode& csi_node,
                                       const storage::v1::CSINode& old_csi_node);
// Of the object and of its status alike.
field::ErrorList ValidateVolumeAttachment(const storage::v1::VolumeAttachment& attachment);
field::ErrorList ValidateVolumeAttachmentUpdate(
    const storage::v1::VolumeAttachment& attachment,
    const storage::v1::VolumeAttachment& old_attachment);

}  // namespace podium::api
