{{- /*
Refuses literal secrets: the ConfigMap shows them to everyone who may read it. Placeholders are taken out first, and what
is left is judged. Subscriptions and documents are the user's own words, so that only what looks like a token counts there.
*/ -}}
{{- define "connector.secrets" -}}
{{- include "connector.secrets.below" (dict "where" "config" "value" (omit .Values.config "subscriptions")) }}
{{- range $index, $subscription := .Values.config.subscriptions }}
{{- include "connector.secrets.text" (dict "where" (printf "config.subscriptions[%d]" $index) "text" (toJson $subscription)) }}
{{- end }}
{{- range $name, $text := .Values.documents }}
{{- include "connector.secrets.text" (dict "where" (printf "documents.%s" $name) "text" $text) }}
{{- end }}
{{- range $index, $variable := .Values.extraEnv }}
{{- include "connector.secrets.one" (dict "where" (printf "extraEnv[%d].value (%s)" $index $variable.name) "key" $variable.name "value" $variable.value "is_own" true) }}
{{- end }}
{{- end }}

{{- define "connector.secrets.below" -}}
{{- $isOwn := or (regexMatch "\\.headers$" .where) (hasPrefix "config.endpoint.init_payload" .where) }}
{{- $pair := "" }}
{{- if and $isOwn (kindIs "map" .value) (hasKey (.value | default dict) "value") }}
{{- $pair = get .value "name" | default (get .value "key") | default "" | toString }}
{{- end }}
{{- range $key, $value := .value }}
{{- $where := printf "%s.%v" $.where $key }}
{{- if kindIs "int" $key }}
{{- $where = printf "%s[%d]" $.where $key }}
{{- end }}
{{- if or (kindIs "map" $value) (kindIs "slice" $value) }}
{{- include "connector.secrets.below" (dict "where" $where "value" $value) }}
{{- else }}
{{- $name := toString $key }}
{{- if kindIs "int" $key }}
{{- $name = regexFind "[^.\\[\\]]+[][0-9]*$" $where | regexFind "^[^\\[]+" }}
{{- else if and $pair (eq $name "value") }}
{{- $name = $pair }}
{{- else if and $pair (has $name (list "name" "key")) }}
{{- $name = "name" }}
{{- end }}
{{- include "connector.secrets.one" (dict "where" $where "key" $name "value" $value "is_own" $isOwn) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* What a name says that holds a secret, in small letters, without separators and the number at its end. */ -}}
{{- define "connector.secrets.names" -}}
secret|password|passwd|passphrase|passcode|pwd|token|authorization|authentication|cookie|credentials?|jwt|bearer|signature|apikey|appkey|accesskey|privatekey|secretkey|accesscode|authcode
{{- end }}

{{- /* `is_own`: the name is the user's own, as a header's is; then shorter words count too. */ -}}
{{- define "connector.secrets.is_named" -}}
{{- $name := regexReplaceAll "[^a-z0-9]+" (lower .key) "" | trimAll "0123456789" }}
{{- $names := include "connector.secrets.names" . }}
{{- if .is_own }}
{{- $names = printf "%s|key|auth|session|sessionid" $names }}
{{- end }}
{{- if or (regexMatch (printf "(%s)$" $names) $name) (and .is_own (or (regexMatch "(?i)(^|[^a-z])(pass|pat|sig|pw)[^a-z]*$" .key) (regexMatch "[a-z0-9](Pass|Pat|Sig|Pw)[0-9]*$" .key))) }}yes{{ end }}
{{- end }}

{{- /* The value with \x01 for each placeholder, and for `{token}` and Kubernetes' `$(NAME)`. */ -}}
{{- define "connector.secrets.marked" -}}
{{- $text := replace "$${" "" . | replace "\x01" "" }}
{{- regexReplaceAll "[$][{](env:[A-Za-z_][A-Za-z0-9_]*|file:[^{}]+)[}]|[{]token[}]|[$][(][A-Za-z_][A-Za-z0-9_.-]*[)]" $text "\x01" }}
{{- end }}

{{- /* Refuses one literal by its key's name, or by what it looks like. */ -}}
{{- define "connector.secrets.one" -}}
{{- if and (not (kindIs "invalid" .value)) (not (kindIs "bool" .value)) (ne (toString .value) "") }}
{{- $text := include "connector.secrets.marked" (toString .value) }}
{{- $isSecret := include "connector.secrets.is_url" (dict "text" $text "is_proxy" (regexMatch "(?i)proxy$" .key)) }}
{{- if or (include "connector.secrets.is_named" .) (eq .key "template") }}
{{- /* A scheme and a name before a placeholder are none: Bearer ${…}, session=${…}. */ -}}
{{- $left := regexReplaceAll "(^|[\\s;,&{])\"?[A-Za-z0-9_.-]{1,32}\"?\\s*[=:]\\s*\"?\\x01\"?" $text "${1}" }}
{{- $left = regexReplaceAll "^[A-Za-z][A-Za-z-]{0,15}\\s+(\\x01|$)" $left "" }}
{{- $left = regexReplaceAll "[\\x01\\s;,:&\"{}]+" $left "" }}
{{- $isSecret = or $isSecret $left }}
{{- end }}
{{- if and .is_own (regexMatch "(?i)^(token|api[_-]?key|jwt|oauth)\\s+[^\\s\\x01]" (regexReplaceAll "(?i)^token\\s+token=\"?\\x01" $text "")) }}
{{- $isSecret = "yes" }}
{{- end }}
{{- if or $isSecret (regexMatch "(?i)^(bearer|basic|digest)\\s+[^\\s\\x01]" $text) }}
{{- include "connector.secrets.refuse" .where }}
{{- end }}
{{- include "connector.secrets.text" (dict "where" .where "text" $text) }}
{{- end }}
{{- end }}

{{- /* A URL with a token for a user, with a literal password, or with a literal secret in its query. */ -}}
{{- define "connector.secrets.is_url" -}}
{{- $scheme := "(?i)^\\s*[a-z][a-z0-9+.-]*://" }}
{{- $found := or (regexMatch (print $scheme "[^/?#:]*:[^/?#]*[^/?#\\x01][^/?#]*@") .text) (regexMatch (print $scheme "[^/?#:@]*[^/?#:@\\x01][^/?#:@]*:?@") .text) }}
{{- if .is_proxy }}
{{- $found = or $found (regexMatch "(//|^)[^:]*:.*[^\\x01].*@" (regexReplaceAll $scheme .text "//")) (regexMatch "^[^/:@]*[^/:@\\x01][^/:@]*@" .text) }}
{{- end }}
{{- if and (regexMatch $scheme .text) (regexMatch "[?#]" .text) }}
{{- range regexSplit "[?&;#]" .text -1 | rest }}
{{- $name := regexFind "^[^=]*" . }}
{{- $value := trimPrefix "=" (trimPrefix $name .) | replace "\x01" "" }}
{{- if and $value (or (contains "%" $name) (include "connector.secrets.is_named" (dict "key" $name "is_own" true))) }}
{{- $found = true }}
{{- end }}
{{- end }}
{{- end }}
{{- if $found }}yes{{ end }}
{{- end }}

{{- /* What looks like a token wherever it stands: a signed one, one of a known maker, or what follows Bearer. */ -}}
{{- define "connector.secrets.text" -}}
{{- $makers := "(^|[^A-Za-z0-9])(gh[pousr]_[A-Za-z0-9]{3,}|github_pat_[A-Za-z0-9]|glpat-[A-Za-z0-9]|xox[abprs]-[A-Za-z0-9]|sk_live_[A-Za-z0-9]|ory_at_[A-Za-z0-9]|AKIA[A-Z0-9]{16})" }}
{{- $text := include "connector.secrets.marked" .text }}
{{- if or (regexMatch "(^|[^A-Za-z0-9])eyJ[A-Za-z0-9_-]{8,}" $text) (regexMatch $makers $text) (regexMatch "(?i)\"bearer\\s+[^\\s\\x01\"]" $text) (regexMatch "(?i)bearer\\s+[A-Za-z0-9._~+/=-]{16,}" $text) }}
{{- include "connector.secrets.refuse" .where }}
{{- end }}
{{- end }}

{{- define "connector.secrets.refuse" -}}
{{- fail (printf "%s holds a literal secret, which a ConfigMap would show: put it into a Secret, name that as existingSecret, and write ${env:KEY} or ${file:/run/secrets/connector/KEY} here." .) }}
{{- end }}
