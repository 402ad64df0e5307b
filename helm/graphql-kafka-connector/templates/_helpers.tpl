{{- /* A label: at its ends are letters and digits. */ -}}
{{- define "connector.name" -}}
{{- $name := regexReplaceAll "[^A-Za-z0-9_.-]+" .Values.nameOverride "-" | trimAll "-_." | trunc 63 | trimAll "-_." }}
{{- $name | default .Chart.Name }}
{{- end }}

{{- /* The objects' name. A release may be called my.app, or 1st; a Service may not (RFC 1035). */ -}}
{{- define "connector.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name }}
{{- $full := .Values.fullnameOverride | default (ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name)) }}
{{- $full = regexReplaceAll "[^a-z0-9-]+" (lower $full) "-" | trimAll "-" }}
{{- if regexMatch "^[0-9]" $full }}
{{- $full = printf "c-%s" $full }}
{{- end }}
{{- $full | trunc 63 | trimSuffix "-" | default .Chart.Name }}
{{- end }}

{{- define "connector.selectorLabels" -}}
app.kubernetes.io/name: {{ include "connector.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "connector.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "connector.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* The first mapping laid over the second: a label of ours that the user gives too stands once. */ -}}
{{- define "connector.merged" -}}
{{- toYaml (merge (dict) (index . 0 | fromYaml) (index . 1 | default dict)) }}
{{- end }}

{{- /* Sections of which nothing was given, or a blank, are as values.yaml has them. */ -}}
{{- define "connector.service" -}}
{{- $given := .Values.service | default dict }}
{{- toYaml (dict "enabled" (dig "enabled" true $given) "type" (dig "type" "ClusterIP" $given) "port" (get $given "port") "annotations" (get $given "annotations")) }}
{{- end }}

{{- define "connector.serviceAccount" -}}
{{- $given := .Values.serviceAccount | default dict }}
{{- toYaml (dict "create" (dig "create" true $given) "name" (get $given "name") "annotations" (get $given "annotations")) }}
{{- end }}

{{- define "connector.serviceAccountName" -}}
{{- $account := include "connector.serviceAccount" . | fromYaml }}
{{- $account.name | default (ternary (include "connector.fullname" .) "default" $account.create) }}
{{- end }}

{{- /* Where the API listens while the configuration cannot be used: as the chart's values say. */ -}}
{{- define "connector.listen" -}}
{{- $host := toString .Values.config.http.host }}
{{- printf "%s:%d" (ternary (printf "[%s]" $host) $host (contains ":" $host)) (int .Values.config.http.port) }}
{{- end }}

{{- /* The image; `global.imageRegistry` goes before a repository that names no registry itself. */ -}}
{{- define "connector.image" -}}
{{- $repository := .Values.image.repository }}
{{- $registry := dig "imageRegistry" "" (.Values.global | default dict) | default "" }}
{{- if and $registry (not (regexMatch "^([^/]*[.:][^/]*|localhost)/" $repository)) }}
{{- $repository = printf "%s/%s" (trimSuffix "/" $registry) $repository }}
{{- end }}
{{- with .Values.image }}
{{- if .digest }}{{ $repository }}@{{ .digest }}{{ else }}{{ $repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- /* Secrets for the registry: those of `global`, by name or as mappings, and the chart's own, each once. */ -}}
{{- define "connector.imagePullSecrets" -}}
{{- $found := list }}
{{- range concat (dig "imagePullSecrets" list (.Values.global | default dict) | default list) (.Values.imagePullSecrets | default list) }}
{{- $found = append $found (dict "name" (kindIs "map" . | ternary (get (kindIs "map" . | ternary . dict) "name") .)) }}
{{- end }}
{{- with uniq $found }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{- /*
The pod's annotations. The connector takes changed files by itself; one that does not watch them is replaced.
*/ -}}
{{- define "connector.podAnnotations" -}}
{{- $ours := dict }}
{{- if eq (toString .Values.config.reload) "false" }}
{{- $_ := set $ours "checksum/config" (include "connector.files" . | sha256sum) }}
{{- end }}
{{- with merge $ours (.Values.podAnnotations | default dict) }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{- /* The files of /etc/connector, as the ConfigMap's data. */ -}}
{{- define "connector.files" -}}
{{- toYaml (merge (dict "connector.yaml" (printf "%s\n" (toYaml .Values.config))) (.Values.documents | default dict)) }}
{{- end }}
