"""Every word said in Slack, in English and Spanish. Both hold the same keys; a test sees to it.

Nothing else in the connector holds a sentence people in Slack see. ``{}`` fields are filled by
``say``. Titles of forms and labels of their buttons hold 24 characters; Slack refuses longer ones.
"""

from __future__ import annotations

REASONS = ("voice", "wrong", "unhelpful", "length", "tone")
"""What a dislike can be for; the log holds these words, the form shows ``reason_…``."""

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        # Conversations
        "greeting": "Hello! What would you like to ask?",
        "starters_title": "To begin with, you could ask:",
        "notice_first": "Before we start: I read and keep only what is said to me. People may look "
        "at these conversations to make me better. `/brandbot forget-me` deletes yours.",
        "thinking": "is thinking…",
        "empty_mention": "I'm here. What can I do for you?",
        "queue_full": "A lot of people are asking right now. Please try again in a minute.",
        "failed": "Sorry, I couldn't write a reply. Please try again.",
        "too_long": "That message is too long for me: at most {limit} characters, please.",
        "not_done": "I couldn't do that just now. Please try again in a minute.",
        "too_long_to_read": "That message is too long for me to read. Please shorten it.",
        "sources": "Sources",
        "position_page": "page {number}",
        "position_row": "row {number}",
        "not_in_documents": "Not in the documents: {words}. Check before you rely on it.",
        "not_in_channel": "I'm not in this channel yet. Invite me with `/invite` and try again.",
        # The command
        "help": "*What I do*\n"
        "• Mention me in a channel, or write to me directly, and I answer.\n"
        "• `/brandbot ask QUESTION` asks me here, for everybody to see.\n"
        "• `/brandbot voice TEXT` says your text in the brand's voice; only you see it.\n"
        "• `/brandbot use BRAND` chooses the brand of this channel.\n"
        "• `/brandbot follow on` lets me answer in my threads without a mention; `off` ends that.\n"
        "• `/brandbot status` shows brand and version.\n"
        "• `/brandbot forget-me` deletes everything you said to me.",
        "ask_usage": "What would you like to ask? Write it after the command: "
        "`/brandbot ask Do you deliver?`",
        "asked": "<@{user}> asks: {question}",
        "which_brand": "Which brand? There are: {names}. Choose with `/brandbot use BRAND`.",
        "no_such_brand": "There is no such brand. There are: {names}.",
        "using": "From now on I speak as {name} in this channel.",
        "follow_usage": "Write `/brandbot follow on` or `/brandbot follow off`.",
        "follow_on": "In this channel, I now answer in my threads without being mentioned.",
        "follow_off": "In this channel, I now answer only when I'm mentioned.",
        "status": "*{name}* · version {version}\nAnswers in threads without a mention: {follow}\n"
        "Questions waiting: {waiting}",
        "status_broken": "*{name}* can't answer yet: {reason}",
        "follow_is_on": "on",
        "follow_is_off": "off",
        "voice_usage": "Which text? Write it after the command: "
        "`/brandbot voice We are closed on Monday.`",
        "voice_working": "One moment, I'm finding the words…",
        "voice_post": "Post it here",
        "voice_posted": "_In the brand's voice, for <@{user}>_",
        "voice_unsure": "I can't tell whether that was posted. If it isn't here, copy it from "
        "above.",
        # Forgetting
        "forget_confirm_title": "Delete my messages",
        "forget_confirm_body": "Everything you said to me is deleted from my memory, with my "
        "replies and what you thought of them. It can't be undone. What stands in Slack stays "
        "there; you can delete that yourself.",
        "forget_confirm_button": "Delete",
        "forget_later": "I'm being trained just now, on your messages among others. Please ask "
        "again when that is done.",
        "forgotten_traces": "It is deleted, but traces may be left in my database's files. Please "
        "ask again in a while.",
        "forget_failed": "I couldn't delete your messages just now. Please ask again in a while.",
        "voice_copy": "It is too long for a button: copy it from here.",
        "improve_long": "This reply is too long for Slack's form. Write what it should have said; "
        "it replaces the whole of it.",
        "forgotten": "Done. I no longer know what you said to me. Messages deleted: {count}.",
        # Feedback
        "feedback_good": "Good reply",
        "feedback_bad": "Bad reply",
        "feedback_thanks": "Thank you. Your feedback is saved.",
        "reason_title": "What was wrong?",
        "reason_why": "Why?",
        "reason_voice": "Doesn't sound like us",
        "reason_wrong": "Isn't true",
        "reason_unhelpful": "Doesn't answer the question",
        "reason_length": "Too long or too short",
        "reason_tone": "Wrong tone",
        "reason_more": "Anything else?",
        "improve_button": "Improve this reply",
        "improve_title": "Improve this reply",
        "improve_label": "What it should have said",
        "improve_empty": "Write what the reply should have said.",
        "improve_thanks": "Thank you. Your version is saved, and waits for approval.",
        "not_saved": "I couldn't save this just now. Please send it again in a minute. If the "
        "reply was deleted meanwhile, there is nothing to improve any more.",
        "submit": "Send",
        "cancel": "Cancel",
        # The manifest
        "manifest_command": "Ask the brand's bot, or choose how it works here",
        "manifest_description": "Answers in your brand's own voice.",
        "manifest_hint": "ask … | voice … | use … | follow on/off | status | forget-me",
        "manifest_https": "Slack calls only addresses that begin with https://, and {url} doesn't.",
        "scope_app_mentions:read": "to be told when somebody mentions the bot",
        "scope_assistant:write": "to show that a reply is being written, and suggest questions",
        "scope_channels:history": "to follow its own threads in public channels, and to notice "
        "when a message it answered is edited or deleted",
        "scope_chat:write": "to answer",
        "scope_commands": "to offer /brandbot",
        "scope_groups:history": "the same as in public channels, in private ones it is invited to",
        "scope_im:history": "to be told what people write to it directly",
        "scope_mpim:history": "the same as in channels, in group direct messages it is in",
        # The doctor
        "doctor_set": "{variable} is set ({shown}).",
        "doctor_not_set": "{variable} is not set.",
        "doctor_wrong_kind": "{variable} holds another kind of token: {prefix}… instead of "
        "{expected}…",
        "doctor_wrong_form": "{variable} doesn't look right: {expected} was expected.",
        "doctor_expected_token": "one word that begins with {prefix}",
        "doctor_expected_secret": "32 digits and letters from a to f",
        "doctor_bot_token_remedy": "At api.slack.com/apps, open your app, then OAuth & "
        "Permissions. Install it if it isn't, and copy the Bot User OAuth Token (xoxb-…) to "
        "SLACK_BOT_TOKEN.",
        "doctor_app_token_remedy": "At api.slack.com/apps, open your app, then Basic Information, "
        "App-Level Tokens. Make one with the scope connections:write and copy it (xapp-…) to "
        "SLACK_APP_TOKEN.",
        "doctor_secret_remedy": "At api.slack.com/apps, open your app, then Basic Information, App "
        "Credentials. Copy the Signing Secret to SLACK_SIGNING_SECRET.",
        "doctor_no_way_in": "Neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is set: Slack's "
        "messages have no way in.",
        "doctor_no_way_in_remedy": "For Socket Mode, which needs no public address: at "
        "api.slack.com/apps, Basic Information, App-Level Tokens, make a token with "
        "connections:write and set SLACK_APP_TOKEN to it. To be called over HTTPS instead, set "
        "SLACK_SIGNING_SECRET to the Signing Secret on the same page.",
        "doctor_reached": "Slack can be reached at {url}.",
        "doctor_unreachable": "Slack can't be reached at {url} ({reason}).",
        "doctor_unreachable_remedy": "Check this machine's connection, its proxy (HTTPS_PROXY) and "
        "its firewall. If SLACK_API_URL is set, check that, too; it is seldom needed.",
        "doctor_not_slack": "Something answers at {url}, but it isn't Slack.",
        "doctor_not_slack_remedy": "Perhaps a proxy or a login page stands between. If "
        "SLACK_API_URL is set, unset it, or end it in /api/.",
        "doctor_bad_url": "SLACK_API_URL is not the address of a server.",
        "doctor_bad_url_remedy": "Unset it, or write it like https://slack.com/api/.",
        "doctor_signed_in": "Signed in as {bot} in {team}.",
        "doctor_refused": "Slack refuses the bot token: {error}.",
        "doctor_revoked_remedy": "The app was removed, or its token withdrawn. At "
        "api.slack.com/apps, Install App, install it again and copy the new token to "
        "SLACK_BOT_TOKEN.",
        "doctor_scopes": "All {count} scopes are granted.",
        "doctor_scopes_missing": "Scopes are missing: {scopes}.",
        "doctor_scopes_remedy": "At api.slack.com/apps, App Manifest, paste what brandbot slack "
        "manifest prints, save it, and install the app again: only that grants new scopes.",
        "doctor_socket": "Socket Mode works.",
        "doctor_socket_refused": "Slack opens no socket: {error}.",
        "doctor_socket_remedy": "At api.slack.com/apps, turn on Socket Mode, and make sure that "
        "SLACK_APP_TOKEN is an app-level token of this app, with the scope connections:write.",
        "doctor_unchecked_sign_in": "Not checked yet: signing in, and scopes.",
        "doctor_unchecked_scopes": "Not checked: Slack didn't say which scopes are granted.",
        "doctor_unchecked_socket": "Not checked yet: Socket Mode.",
        "doctor_unchecked_remedy": "Mend what is above first, then run this again.",
    },
    "es": {
        # Conversations
        "greeting": "¡Hola! ¿Qué quieres preguntar?",
        "starters_title": "Para empezar, puedes preguntar:",
        "notice_first": "Antes de empezar: solo leo y guardo lo que me dicen a mí. Puede que "
        "alguien revise estas conversaciones para mejorarme. `/brandbot forget-me` borra las "
        "tuyas.",
        "thinking": "está pensando…",
        "empty_mention": "Aquí estoy. ¿Qué puedo hacer por ti?",
        "queue_full": "Ahora mismo pregunta mucha gente. Inténtalo otra vez dentro de un minuto.",
        "failed": "Lo siento, no he podido responder. Inténtalo otra vez.",
        "too_long": "Ese mensaje es demasiado largo para mí: como mucho {limit} caracteres, "
        "por favor.",
        "not_done": "Ahora mismo no he podido hacerlo. Inténtalo otra vez dentro de un minuto.",
        "too_long_to_read": "Ese mensaje es demasiado largo para que lo lea. Acórtalo, por favor.",
        "sources": "Fuentes",
        "position_page": "página {number}",
        "position_row": "fila {number}",
        "not_in_documents": "No está en los documentos: {words}. Compruébalo antes de fiarte.",
        "not_in_channel": "Aún no estoy en este canal. Invítame con `/invite` y prueba otra vez.",
        # The command
        "help": "*Lo que hago*\n"
        "• Mencióname en un canal o escríbeme directamente, y respondo.\n"
        "• `/brandbot ask PREGUNTA` me pregunta aquí, a la vista de todos.\n"
        "• `/brandbot voice TEXTO` dice tu texto con la voz de la marca; solo lo ves tú.\n"
        "• `/brandbot use MARCA` elige la marca de este canal.\n"
        "• `/brandbot follow on` me deja responder en mis hilos sin mención; `off` lo quita.\n"
        "• `/brandbot status` muestra la marca y la versión.\n"
        "• `/brandbot forget-me` borra todo lo que me has dicho.",
        "ask_usage": "¿Qué quieres preguntar? Escríbelo después del comando: "
        "`/brandbot ask ¿Hacéis envíos?`",
        "asked": "<@{user}> pregunta: {question}",
        "which_brand": "¿Qué marca? Hay: {names}. Elige con `/brandbot use MARCA`.",
        "no_such_brand": "No hay ninguna marca con ese nombre. Hay: {names}.",
        "using": "A partir de ahora, en este canal hablo como {name}.",
        "follow_usage": "Escribe `/brandbot follow on` o `/brandbot follow off`.",
        "follow_on": "En este canal, ahora respondo en mis hilos sin que me mencionen.",
        "follow_off": "En este canal, ahora solo respondo cuando me mencionan.",
        "status": "*{name}* · versión {version}\nResponde en hilos sin mención: {follow}\n"
        "Preguntas en espera: {waiting}",
        "status_broken": "*{name}* todavía no puede responder: {reason}",
        "follow_is_on": "sí",
        "follow_is_off": "no",
        "voice_usage": "¿Qué texto? Escríbelo después del comando: "
        "`/brandbot voice El lunes cerramos.`",
        "voice_working": "Un momento, busco las palabras…",
        "voice_post": "Publicar aquí",
        "voice_posted": "_Con la voz de la marca, para <@{user}>_",
        "voice_unsure": "No sé si se ha publicado. Si no está aquí, cópialo de arriba.",
        # Forgetting
        "forget_confirm_title": "Borrar mis mensajes",
        "forget_confirm_body": "Se borra de mi memoria todo lo que me has dicho, con mis "
        "respuestas y lo que opinaste de ellas. No se puede deshacer. Lo que está en Slack se "
        "queda ahí; eso puedes borrarlo tú.",
        "forget_confirm_button": "Borrar",
        "forget_later": "Ahora mismo me están entrenando, también con tus mensajes. Pídemelo otra "
        "vez cuando acabe.",
        "forgotten_traces": "Está borrado, pero puede que queden restos en los archivos de mi base "
        "de datos. Pídemelo otra vez dentro de un rato.",
        "forget_failed": "Ahora mismo no he podido borrar tus mensajes. Pídemelo otra vez dentro "
        "de un rato.",
        "voice_copy": "Es demasiado largo para un botón: cópialo desde aquí.",
        "improve_long": "Esta respuesta no cabe en el formulario de Slack. Escribe lo que tendría "
        "que haber dicho; sustituye a toda la respuesta.",
        "forgotten": "Hecho. Ya no sé lo que me dijiste. Mensajes borrados: {count}.",
        # Feedback
        "feedback_good": "Buena respuesta",
        "feedback_bad": "Mala respuesta",
        "feedback_thanks": "Gracias. Tu opinión queda guardada.",
        "reason_title": "¿Qué falla?",
        "reason_why": "¿Por qué?",
        "reason_voice": "No suena a nosotros",
        "reason_wrong": "No es verdad",
        "reason_unhelpful": "No responde a la pregunta",
        "reason_length": "Demasiado larga o demasiado corta",
        "reason_tone": "El tono no es el adecuado",
        "reason_more": "¿Algo más?",
        "improve_button": "Mejorar esta respuesta",
        "improve_title": "Mejorar la respuesta",
        "improve_label": "Lo que tendría que haber dicho",
        "improve_empty": "Escribe lo que tendría que haber dicho.",
        "improve_thanks": "Gracias. Tu versión queda guardada, a la espera de aprobación.",
        "not_saved": "Ahora mismo no he podido guardarlo. Envíalo otra vez dentro de un minuto. Si "
        "la respuesta se ha borrado entretanto, ya no hay nada que mejorar.",
        "submit": "Enviar",
        "cancel": "Cancelar",
        # The manifest
        "manifest_command": "Pregunta al bot de la marca o elige cómo funciona aquí",
        "manifest_description": "Responde con la voz de tu marca.",
        "manifest_hint": "ask … | voice … | use … | follow on/off | status | forget-me",
        "manifest_https": "Slack solo llama a direcciones que empiezan por https://, y {url} no.",
        "scope_app_mentions:read": "para saber cuándo alguien menciona al bot",
        "scope_assistant:write": "para mostrar que está escribiendo y sugerir preguntas",
        "scope_channels:history": "para seguir sus propios hilos en canales públicos y notar si "
        "se edita o se borra un mensaje al que respondió",
        "scope_chat:write": "para responder",
        "scope_commands": "para ofrecer /brandbot",
        "scope_groups:history": "lo mismo que en los canales públicos, en los privados a los que "
        "se le invita",
        "scope_im:history": "para saber qué le escriben directamente",
        "scope_mpim:history": "lo mismo que en los canales, en los mensajes directos de grupo en "
        "los que está",
        # The doctor
        "doctor_set": "{variable} está puesto ({shown}).",
        "doctor_not_set": "Falta {variable}.",
        "doctor_wrong_kind": "{variable} contiene otro tipo de token: {prefix}… en vez de "
        "{expected}…",
        "doctor_wrong_form": "{variable} no tiene buena pinta: se esperaba {expected}.",
        "doctor_expected_token": "una palabra que empieza por {prefix}",
        "doctor_expected_secret": "32 cifras y letras de la a a la f",
        "doctor_bot_token_remedy": "En api.slack.com/apps, abre tu app y entra en OAuth & "
        "Permissions. Instálala si no lo está y copia el Bot User OAuth Token (xoxb-…) en "
        "SLACK_BOT_TOKEN.",
        "doctor_app_token_remedy": "En api.slack.com/apps, abre tu app y entra en Basic "
        "Information, App-Level Tokens. Crea uno con el permiso connections:write y cópialo "
        "(xapp-…) en SLACK_APP_TOKEN.",
        "doctor_secret_remedy": "En api.slack.com/apps, abre tu app y entra en Basic Information, "
        "App Credentials. Copia el Signing Secret en SLACK_SIGNING_SECRET.",
        "doctor_no_way_in": "Faltan SLACK_APP_TOKEN y SLACK_SIGNING_SECRET: los mensajes de Slack "
        "no tienen por dónde entrar.",
        "doctor_no_way_in_remedy": "Para Socket Mode, que no necesita una dirección pública: en "
        "api.slack.com/apps, Basic Information, App-Level Tokens, crea un token con "
        "connections:write y ponlo en SLACK_APP_TOKEN. Para que Slack llame por HTTPS, pon en "
        "SLACK_SIGNING_SECRET el Signing Secret de la misma página.",
        "doctor_reached": "Se llega a Slack en {url}.",
        "doctor_unreachable": "No se llega a Slack en {url} ({reason}).",
        "doctor_unreachable_remedy": "Revisa la conexión de esta máquina, su proxy (HTTPS_PROXY) y "
        "su cortafuegos. Si SLACK_API_URL está puesto, revísalo también; casi nunca hace falta.",
        "doctor_not_slack": "Algo responde en {url}, pero no es Slack.",
        "doctor_not_slack_remedy": "Quizá haya un proxy o una página de acceso en medio. Si "
        "SLACK_API_URL está puesto, quítalo o termínalo en /api/.",
        "doctor_bad_url": "SLACK_API_URL no es la dirección de un servidor.",
        "doctor_bad_url_remedy": "Quítalo o escríbelo como https://slack.com/api/.",
        "doctor_signed_in": "Sesión iniciada como {bot} en {team}.",
        "doctor_refused": "Slack rechaza el token del bot: {error}.",
        "doctor_revoked_remedy": "La app se quitó o su token se retiró. En api.slack.com/apps, "
        "Install App, instálala otra vez y copia el token nuevo en SLACK_BOT_TOKEN.",
        "doctor_scopes": "Los {count} permisos están concedidos.",
        "doctor_scopes_missing": "Faltan permisos: {scopes}.",
        "doctor_scopes_remedy": "En api.slack.com/apps, App Manifest, pega lo que imprime brandbot "
        "slack manifest, guárdalo e instala la app otra vez: solo así se conceden los nuevos.",
        "doctor_socket": "Socket Mode funciona.",
        "doctor_socket_refused": "Slack no abre ningún socket: {error}.",
        "doctor_socket_remedy": "En api.slack.com/apps, activa Socket Mode y comprueba que "
        "SLACK_APP_TOKEN es un token de esta app (app-level), con el permiso connections:write.",
        "doctor_unchecked_sign_in": "Sin comprobar todavía: el inicio de sesión y los permisos.",
        "doctor_unchecked_scopes": "Sin comprobar: Slack no dijo qué permisos están concedidos.",
        "doctor_unchecked_socket": "Sin comprobar todavía: Socket Mode.",
        "doctor_unchecked_remedy": "Arregla primero lo de arriba y ejecuta esto otra vez.",
    },
}


def say(language: str, key: str, **values: object) -> str:
    """The text ``key``, its fields filled, in a language named by any BCP 47 tag.

    ``es-MX`` is Spanish; languages we don't speak are answered in English.
    """
    spoken = language.replace("_", "-").partition("-")[0].lower()
    text = TEXTS[spoken if spoken in TEXTS else "en"][key]
    return text.format(**values) if values else text
