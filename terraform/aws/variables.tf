variable "cluster_name" {
  description = "Name of the Kubernetes cluster. The names of all resources begin with it."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9]([A-Za-z0-9_-]{0,28}[A-Za-z0-9])?$", var.cluster_name))
    error_message = "cluster_name is 1 to 30 letters, digits, underscores and hyphens, and begins and ends with a letter or digit."
  }
}

variable "stores" {
  description = "The stores of the cluster by name: one for all hubs, or several where their costs are to be told apart."
  type = map(object({
    # elastic (as fast as needed, paid by use), bursting (grows with what is stored) or provisioned.
    throughput_mode = optional(string, "elastic")
    # MiB/s of a provisioned store, 1 to 3414; of no other.
    provisioned_throughput_mibps = optional(number)
    # Days after which files that nobody reads move to the cheaper Infrequent Access class: 1, 7, 14, 30, 60, 90, 180, 270 or 365. They come back when they are read. 0: never.
    infrequent_access_after_days = optional(number, 30)
    # ARN of a KMS key instead of AWS's own for EFS.
    kms_key_arn = optional(string)
    # Tags of this store, over those of the module.
    tags = optional(map(string), {})
  }))

  validation {
    condition     = length(var.stores) > 0
    error_message = "stores is empty: name at least one, such as { main = {} }."
  }

  validation {
    condition     = alltrue([for name in keys(var.stores) : can(regex("^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$", name))])
    error_message = "A store's name is 1 to 30 lowercase letters, digits and hyphens, begins with a letter and does not end with a hyphen. These are not: ${join(", ", [for name in keys(var.stores) : name if !can(regex("^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$", name))])}."
  }

  validation {
    condition     = alltrue([for s in var.stores : contains(["elastic", "bursting", "provisioned"], s.throughput_mode)])
    error_message = "throughput_mode is elastic, bursting or provisioned. Look at: ${join(", ", [for name, s in var.stores : "${name} (${s.throughput_mode})" if !contains(["elastic", "bursting", "provisioned"], s.throughput_mode)])}."
  }

  validation {
    condition     = alltrue([for s in var.stores : (s.throughput_mode == "provisioned") == (s.provisioned_throughput_mibps != null)])
    error_message = "provisioned_throughput_mibps goes with throughput_mode provisioned, and with no other. Look at: ${join(", ", [for name, s in var.stores : "${name} (${s.throughput_mode})" if(s.throughput_mode == "provisioned") != (s.provisioned_throughput_mibps != null)])}."
  }

  validation {
    condition     = alltrue([for s in var.stores : s.provisioned_throughput_mibps == null || try(s.provisioned_throughput_mibps >= 1 && s.provisioned_throughput_mibps <= 3414, false)])
    error_message = "provisioned_throughput_mibps is 1 to 3414 MiB/s."
  }

  validation {
    condition     = alltrue([for s in var.stores : contains([0, 1, 7, 14, 30, 60, 90, 180, 270, 365], s.infrequent_access_after_days)])
    error_message = "infrequent_access_after_days is 1, 7, 14, 30, 60, 90, 180, 270 or 365, or 0 for never. Look at: ${join(", ", [for name, s in var.stores : "${name} (${s.infrequent_access_after_days})" if !contains([0, 1, 7, 14, 30, 60, 90, 180, 270, 365], s.infrequent_access_after_days)])}."
  }

  validation {
    condition     = alltrue([for s in var.stores : s.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:", s.kms_key_arn))])
    error_message = "kms_key_arn is the ARN of a KMS key: arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "vpc_id" {
  description = "VPC of the nodes."
  type        = string

  validation {
    condition     = startswith(var.vpc_id, "vpc-")
    error_message = "vpc_id is the id of a VPC, which begins with vpc-."
  }
}

variable "subnet_ids" {
  description = "One subnet for each availability zone that has nodes. Each gets a mount target, in this order: add to the end."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "subnet_ids is empty: without a mount target nobody can reach the store."
  }

  validation {
    condition     = alltrue([for id in var.subnet_ids : startswith(id, "subnet-")])
    error_message = "subnet_ids are ids of subnets, which begin with subnet-. Look at: ${join(", ", [for id in var.subnet_ids : id if !startswith(id, "subnet-")])}."
  }

  validation {
    condition     = length(distinct(var.subnet_ids)) == length(var.subnet_ids)
    error_message = "subnet_ids has a subnet twice: EFS has one mount target in an availability zone."
  }
}

variable "node_security_group_ids" {
  description = "Security groups of the nodes. They alone reach the stores, on port 2049."
  type        = list(string)

  validation {
    condition     = length(var.node_security_group_ids) > 0
    error_message = "node_security_group_ids is empty: nobody would reach the store."
  }

  validation {
    condition     = alltrue([for id in var.node_security_group_ids : startswith(id, "sg-")])
    error_message = "node_security_group_ids are ids of security groups, which begin with sg-. Look at: ${join(", ", [for id in var.node_security_group_ids : id if !startswith(id, "sg-")])}."
  }
}

variable "backups" {
  description = "Whether AWS Backup makes a backup of each store every day and keeps it for 35 days."
  type        = bool
  default     = true
  nullable    = false
}

variable "tags" {
  description = "Tags of all resources that have tags."
  type        = map(string)
  default     = {}
}
