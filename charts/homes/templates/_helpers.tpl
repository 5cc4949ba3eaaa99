{{/* Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License. */}}

{{/* homes.hub is the name of the hub, and of its directory. The rules are those of ParseHubName in hubname.go. */}}
{{- define "homes.hub" -}}
{{- $hub := .Values.nfs.pv.shareNameOverride | default .Release.Name -}}
{{- $wrong := "" -}}
{{- if contains "/" $hub -}}
{{-   $wrong = "it has a '/', and a hub's directory is directly below the base share" -}}
{{- else if not (regexMatch "^[A-Za-z0-9]" $hub) -}}
{{-   $wrong = "it does not begin with a letter or a digit" -}}
{{- else if not (regexMatch "^[A-Za-z0-9._-]*$" $hub) -}}
{{-   $wrong = printf "it has %s" (regexFind "[^A-Za-z0-9._-]" $hub | quote) -}}
{{- else if gt (len $hub) 63 -}}
{{-   $wrong = "it is too long" -}}
{{- end -}}
{{- if $wrong -}}
{{-   fail (printf "nfs.pv.shareNameOverride: %q cannot be the name of a hub: %s; a hub's name is 1 to 63 letters (a-z, A-Z), digits, '-', '_' and '.', and begins with a letter or a digit" $hub $wrong) -}}
{{- end -}}
{{- $hub -}}
{{- end -}}

{{/* homes.baseShare is the base share with one slash before it and none after it: "/" for the root. */}}
{{- define "homes.baseShare" -}}
{{- $base := .Values.nfs.pv.baseShareName -}}
{{- if regexMatch "[[:cntrl:]]" $base -}}
{{-   fail (printf "nfs.pv.baseShareName: %q has a control character, such as the end of a line" $base) -}}
{{- end -}}
{{- $parts := without (splitList "/" $base) "" -}}
{{- if or (has "." $parts) (has ".." $parts) -}}
{{-   fail (printf "nfs.pv.baseShareName: %q has '.' or '..' in it: write the directory as the server knows it, such as /homes" $base) -}}
{{- end -}}
/{{- join "/" $parts -}}
{{- end -}}

{{/* homes.path is the hub's directory on the server. */}}
{{- define "homes.path" -}}
{{- printf "%s/%s" (include "homes.baseShare" . | trimSuffix "/") (include "homes.hub" .) -}}
{{- end -}}

{{/* homes.server is the address of the server as a volume has it: without port, an IPv6 address without brackets. */}}
{{- define "homes.server" -}}
{{- $server := .Values.nfs.pv.serverIP -}}
{{- if not $server -}}
{{-   fail "nfs.pv.serverIP is missing: set it to the address of the NFS server (the Terraform modules have it in their output helm_values), or set nfs.enabled to false" -}}
{{- end -}}
{{- $name := "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$" -}}
{{- $ipv6 := "^[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f.]*$" -}}
{{- if not (or (regexMatch $name $server) (regexMatch $ipv6 $server)) -}}
{{-   fail (printf "nfs.pv.serverIP: %q is not an IP address or a host name alone; the path goes into nfs.pv.baseShareName, and a port other than 2049 into nfs.pv.mountOptions as port=N" $server) -}}
{{- end -}}
{{- $server -}}
{{- end -}}

{{/* homes.address is the server as the share creator takes it: with the port that the mount options have. */}}
{{- define "homes.address" -}}
{{- $server := include "homes.server" . -}}
{{- if contains ":" $server -}}
{{-   $server = printf "[%s]" $server -}}
{{- end -}}
{{- with include "homes.mountOption" (list . "port=") -}}
{{-   $server = printf "%s:%s" $server . -}}
{{- end -}}
{{- $server -}}
{{- end -}}

{{/* homes.mountOption is the value of a mount option; of several the last, as mount(8) has it. It is given a list: the chart's
scope, the option with its equals sign. */}}
{{- define "homes.mountOption" -}}
{{- $option := index . 1 -}}
{{- $value := "" -}}
{{- range splitList "," (join "," (index . 0).Values.nfs.pv.mountOptions) -}}
{{-   if hasPrefix $option (trim .) }}{{ $value = trim . | trimPrefix $option }}{{ end -}}
{{- end -}}
{{- $value -}}
{{- end -}}

{{/* homes.volume is the name of the PersistentVolume: of all the cluster, so it has the name of the release. */}}
{{- define "homes.volume" -}}
{{- .Release.Name }}-home-nfs
{{- end -}}

{{/* homes.labels are the labels of every object. A label ends with a letter or a digit, and a hub's name need not. */}}
{{- define "homes.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: hubhome
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
hub: {{ include "homes.hub" . | trimAll "-_." | quote }}
{{- end -}}

{{/* homes.image is the image of the Jobs. */}}
{{- define "homes.image" -}}
{{- with .Values.image -}}
{{- .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}
{{- end -}}

{{/*
homes.job is the spec of a Job that runs one command of the image once, without privileges. It is given a dict: root, the
chart's scope; component, its label; values, its resources and where it may run; serviceAccount, which it has a token of
where it is not empty; sysctls; args. The command ends by its own timeout and says why. The Job's deadline is for what
cannot say anything: a pod for which there is no node or no image.
*/}}
{{- define "homes.job" -}}
backoffLimit: 0
activeDeadlineSeconds: {{ add .values.timeoutSeconds 120 }}
template:
  metadata:
    labels:
      {{- include "homes.labels" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
  spec:
    restartPolicy: Never
    {{- with .serviceAccount }}
    serviceAccountName: {{ . }}
    {{- end }}
    automountServiceAccountToken: {{ not (empty .serviceAccount) }}
    enableServiceLinks: false
    securityContext:
      runAsNonRoot: true
      runAsUser: 65532
      runAsGroup: 65532
      seccompProfile:
        type: RuntimeDefault
      {{- with .sysctls }}
      sysctls:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- with .root.Values.imagePullSecrets }}
    imagePullSecrets:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with .values.nodeSelector }}
    nodeSelector:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with .values.tolerations }}
    tolerations:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with .values.affinity }}
    affinity:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    containers:
      - name: {{ .component }}
        image: {{ include "homes.image" .root | quote }}
        imagePullPolicy: {{ .root.Values.image.pullPolicy }}
        command:
          {{- toYaml .command | nindent 10 }}
        terminationMessagePolicy: FallbackToLogsOnError
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities:
            drop: [ALL]
        {{- with .values.resources }}
        resources:
          {{- toYaml . | nindent 10 }}
        {{- end }}
{{- end -}}

{{/*
homes.said has Helm print what a Job said, from Helm 3.18 on: an error of Helm's own names the Job and no reason.
*/}}
{{- define "homes.said" -}}
helm.sh/hook-output-log-policy: hook-succeeded,hook-failed
{{- end -}}

{{/*
homes.guardMetadata are labels and annotations of the guard's objects, which are hooks all of them, so that nothing of the
guard is there but while it runs. It is given a list: the chart's scope, the weight, and true where it stays until the next
release, to be read.
*/}}
{{- define "homes.guardMetadata" -}}
labels:
  {{- include "homes.labels" (index . 0) | nindent 2 }}
  app.kubernetes.io/component: nfs-volume-guard
annotations:
  helm.sh/hook: pre-install,pre-upgrade,pre-rollback
  helm.sh/hook-weight: {{ index . 1 | quote }}
  helm.sh/hook-delete-policy: before-hook-creation{{ if not (and (gt (len .) 2) (index . 2)) }},hook-succeeded{{ end }}
{{- end -}}
