"""Every word the studio says, in English and Spanish. Both hold the same keys; a test sees to it.

Nothing else in the studio holds a sentence. ``{}`` fields are filled by ``say``.
"""

from __future__ import annotations

import logging

from brandbot import (
    BusyError,
    ChangedError,
    DiskFullError,
    PairGoneError,
    PlaceholderError,
    SameVersionError,
    TooLongError,
    UnwritableError,
)

log = logging.getLogger("brandbot.studio")

LANGUAGES = {"en": "English", "es": "Español"}

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "title": "brandbot studio",
        "brand": "Brand",
        "conversation": "Conversation",
        "message": "Your message",
        "message_hint": "Write a message…",
        "send": "Send",
        "stop": "Stop",
        "new": "New conversation",
        "settings": "Settings",
        "retry": "Try again",
        "language": "Language",
        "strength": "Voice strength",
        "strength_hint": "0 is the model before training, 1 the brand's full voice.",
        "version": "Version",
        "version_trained": "version {version} · {base}",
        "version_untuned": "untuned: not trained yet",
        "version_untuned_base": "{base}, as it came. To train the brand's voice, run:",
        "version_broken": "can't answer yet",
        "compare": "Compare with the untuned model",
        "compare_title": "The untuned model says",
        "compare_close": "Close comparison",
        "compare_empty": "Ask something first; then compare.",
        "compare_question": "To: “{question}”",
        "dislike_title": "What was wrong with this reply?",
        "dislike_why": "Why?",
        "dislike_more": "Anything else? (optional)",
        "dislike_suggestion": "What should it have said? (optional)",
        "dislike_send": "Send feedback",
        "dislike_skip": "Not now",
        "dislike_thanks": "Thank you. Your feedback is saved.",
        "reason_voice": "Doesn't sound like us",
        "reason_wrong": "Isn't true",
        "reason_unhelpful": "Doesn't answer the question",
        "reason_length": "Too long or too short",
        "reason_tone": "Wrong tone",
        "persona_problems": "{name} can't be loaded. Mend this, then reload the page:",
        "no_personas": "There is no brand here yet. Make one with: brandbot new my-brand",
        "no_such_persona": "This brand is no longer here. Choose another.",
        "error": "That didn't work: {reason}",
        "error_too_long": "the message is too long for the model. Shorten it.",
        "error_disk_full": "the disk is full, so it could not be saved. Free some space and try "
        "again.",
        "error_placeholder": "something personal was taken out of this reply, and the bot would "
        "learn to say the words in brackets. Write it without them; the brand's own contacts stay "
        "if they stand in its documents.",
        "error_busy": "the conversation log can't be reached just now. Please try again.",
        "error_changed": "what was said here was changed or deleted in the meantime.",
        "error_unwritable": "the file of approved examples can't be written, so nothing was "
        "approved. The server's log says why.",
        "error_same_version": "choose two different versions.",
        "error_pair_gone": "this pair was judged already, or shown too long ago. Start again.",
        "unexpected": "Something went wrong on our side. It is noted in the server's log; please "
        "try again.",
        "stopped_early": "Stopped before the first word.",
        "greeting": "Hello! What would you like to ask?",
        "no_words": "The model had nothing to say to that.",
        "cut_off": "The reply reached its longest length and was cut off.",
        "busy": "One moment: a reply is still being written. Wait for it, or stop it first.",
        "gone": "This conversation has changed somewhere else. Here is how it stands now.",
        "too_long": "That message is too long: at most {limit} characters.",
        "not_in_documents": "Not in the documents: {words}. Check before you rely on it.",
        "sources": "Sources",
        "position_page": "page {number}",
        "position_row": "row {number}",
        "chat": "Chat",
        "pages": "Pages",
        "search": "Search",
        "search_lead": "Ask as a visitor would. You see what the bot finds in the documents, and "
        "why.",
        "search_question": "Question",
        "search_hint": "A visitor's question…",
        "search_button": "Search",
        "search_waiting": "Searching…",
        "search_counts": "Facts for the bot: {facts} · passages found: {hits}",
        "search_poor": "Nothing answers this: the bot replies without facts.",
        "search_beyond": "Nothing answers this: the bot says that it doesn't know.",
        "search_closest": "The closest passages",
        "search_nothing": "Nothing was found: no document of this brand holds anything that is "
        "valid today.",
        "search_given": "The bot is given",
        "search_quote": "Its reply says: “{quote}”",
        "search_found": "Passages found",
        "search_chance": "answers: {chance}",
        "search_best": "Likeliest, with a chance of {chance}: “{fact}”",
        "search_score": "Score",
        "search_meaning": "meaning",
        "search_words": "words",
        "search_until": "valid until {day}",
        "search_in_prompt": "given to the bot",
        "search_no_documents": "{name} has no documents yet. Put them into {folder}, then run:",
        "search_no_index": "The documents of {name} are not indexed yet. Run:",
        "search_off": "{name} looks nothing up: knowledge is switched off in the persona.yaml that "
        "its version was trained with.",
        "taste": "Blind taste test",
        "taste_lead": "Two answers to the same message, and nobody says whose they are. Choose "
        "the better one; then you are told.",
        "taste_one": "Compare",
        "taste_other": "with",
        "taste_live": "live",
        "taste_version": "Version {number}",
        "taste_untuned": "Untuned model",
        "taste_the_version": "version {number}",
        "taste_the_untuned": "the untuned model",
        "taste_name": "Your name (optional)",
        "taste_name_hint": "Stands beside your votes. Without one, they are anonymous.",
        "taste_start": "Start tasting",
        "taste_change": "Change versions",
        "taste_untrained": "{name} has no version to taste yet. Train the first one with:",
        "taste_person": "Person",
        "taste_prompt": "Message:",
        "taste_answer": "Answer {letter}",
        "taste_a": "A is better",
        "taste_b": "B is better",
        "taste_neither": "Both are bad",
        "taste_waiting": "Two answers are being written…",
        "taste_here": "A new pair is here. Message: {prompt}",
        "taste_chose": "You chose {letter}.",
        "taste_chose_neither": "You chose neither.",
        "taste_told": "A was {left}, B {right}.",
        "taste_done": "You have judged every message for these two. Thank you! To go on, compare "
        "other versions, or add questions to the brand's folder evals.",
        "taste_results": "Results so far",
        "taste_no_votes": "Nobody has voted on this brand yet.",
        "taste_total": "Votes: {votes} · people: {voters}",
        "taste_few": "too few votes to tell",
        "taste_close": "too close to call",
        "taste_ahead": "{ahead} is ahead",
        "taste_share": "{ahead} got {share} of {n} against {behind}.",
        "taste_interval": "95% interval: {low} to {high}.",
        "taste_ratings": "Ratings; 1000 is the average",
        "taste_rating": "Rating",
        "taste_won": "Won",
        "taste_lost": "Lost",
        "taste_bad": "Both bad",
        "taste_counted": "“Both are bad” counts half for each.",
        "review": "Review",
        "review_lead": "What visitors and colleagues said to the bot, one reply at a time. What "
        "you approve becomes an example that the next version learns from; nothing else does.",
        "review_name": "Your name",
        "review_name_hint": "Stands beside each of your decisions. This browser remembers it.",
        "review_start": "Start reviewing",
        "review_who": "You review as",
        "review_change": "Change name",
        "review_nameless": "Say who you are first: a decision stands beside a name.",
        "review_count_waiting": "waiting",
        "review_count_approved": "approved",
        "review_count_rejected": "rejected",
        "review_progress": "{done} of {total} reviewed",
        "review_here": "To be reviewed",
        "review_why": "Why it is here",
        "review_why_edited": "Edited",
        "review_why_disliked": "Disliked",
        "review_why_handed-off": "Handed off",
        "review_why_unsourced": "Says what stands nowhere",
        "review_why_off-style": "Off style",
        "review_why_unlike": "Unlike the examples",
        "review_why_liked": "Liked",
        "review_like": "and {count} more like it",
        "review_unsourced": "Stands nowhere: {words}",
        "review_removed": "Taken out for privacy: {kinds}.",
        "review_kind_email": "an email address",
        "review_kind_phone": "a phone number",
        "review_kind_iban": "an account number",
        "review_kind_card": "a card number",
        "review_kind_nif": "an ID number",
        "review_kind_nie": "an ID number",
        "review_kind_ssn": "an ID number",
        "review_kind_nino": "an ID number",
        "review_kind_ip": "an IP address",
        "review_kind_token": "a secret",
        "review_kind_password": "a password",
        "review_kind_private-key": "a secret",
        "review_kind_other": "personal data",
        "review_from_web": "Web chat",
        "review_from_slack": "Slack",
        "review_from_api": "API",
        "review_from_terminal": "Terminal",
        "months": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
        "review_reply": "The bot said",
        "review_suggestion": "Somebody suggested",
        "review_reasons": "What people said about it",
        "review_box": "What the brand should say",
        "review_approve": "Approve",
        "review_approve_edited": "Approve edited",
        "review_reject": "Reject",
        "review_skip": "Skip",
        "review_undo": "Undo",
        "review_edit": "Edit the text",
        "review_leave": "Leave the text",
        "review_keys": "Keyboard",
        "review_empty": "An empty reply can't be approved. Write one, or reject this one.",
        "review_outcome_written": "Approved. It is in examples/from-conversations.jsonl.",
        "review_outcome_written-test": "Approved. It goes to the examples that versions are tested "
        "with.",
        "review_outcome_exists": "Approved. The examples have it already: {place}.",
        "review_outcome_in-test": "Approved. It is a test question, so it stays out of training.",
        "review_outcome_rejected": "Rejected. Nothing is learnt from it.",
        "review_outcome_skipped": "Skipped. It comes back at the end.",
        "review_outcome_undone": "Taken back. Decide again.",
        "review_outcome_edited-by-hand": "Taken back. Its line in examples/from-conversations.jsonl"
        " was changed by hand and was left.",
        "review_with": "With it: {count} more like it.",
        "review_no_undo": "There is no decision of yours to take back.",
        "review_conflict_approved": "{name} has approved this meanwhile. Nothing was overwritten.",
        "review_conflict_rejected": "{name} has rejected this meanwhile. Nothing was overwritten.",
        "review_conflict_folded": "{name} has decided about one just like it meanwhile. Nothing "
        "was overwritten.",
        "review_conflict_undone": "{name} has decided about this and taken it back meanwhile. "
        "Nothing was overwritten.",
        "review_gone": "This conversation has changed meanwhile: something in it was edited or "
        "deleted. Nothing was decided.",
        "review_none": "Nobody has talked to {name} yet",
        "review_none_do": "There is nothing to review. Talk to it yourself, send colleagues the "
        "address of this chat, or connect it to Slack; what is said comes here.",
        "review_done": "Everything is reviewed",
        "review_train": "Teach the next version what you approved:",
        "review_none_approved": "Nothing was approved, so there is nothing new to learn.",
    },
    "es": {
        "title": "brandbot studio",
        "brand": "Marca",
        "conversation": "Conversación",
        "message": "Tu mensaje",
        "message_hint": "Escribe un mensaje…",
        "send": "Enviar",
        "stop": "Parar",
        "new": "Conversación nueva",
        "settings": "Ajustes",
        "retry": "Reintentar",
        "language": "Idioma",
        "strength": "Fuerza de la voz",
        "strength_hint": "0 es el modelo sin entrenar; 1, la voz completa de la marca.",
        "version": "Versión",
        "version_trained": "versión {version} · {base}",
        "version_untuned": "sin entrenar todavía",
        "version_untuned_base": "{base}, tal como vino. Para entrenar la voz de la marca, ejecuta:",
        "version_broken": "todavía no puede responder",
        "compare": "Comparar con el modelo sin entrenar",
        "compare_title": "El modelo sin entrenar dice",
        "compare_close": "Cerrar la comparación",
        "compare_empty": "Pregunta algo primero y luego compara.",
        "compare_question": "A: «{question}»",
        "dislike_title": "¿Qué falla en esta respuesta?",
        "dislike_why": "¿Por qué?",
        "dislike_more": "¿Algo más? (opcional)",
        "dislike_suggestion": "¿Qué tendría que haber dicho? (opcional)",
        "dislike_send": "Enviar opinión",
        "dislike_skip": "Ahora no",
        "dislike_thanks": "Gracias. Tu opinión queda guardada.",
        "reason_voice": "No suena a nosotros",
        "reason_wrong": "No es verdad",
        "reason_unhelpful": "No responde a la pregunta",
        "reason_length": "Demasiado larga o demasiado corta",
        "reason_tone": "El tono no es el adecuado",
        "persona_problems": "{name} no se puede cargar. Arregla esto y recarga la página:",
        "no_personas": "Aún no hay ninguna marca. Crea una con: brandbot new mi-marca",
        "no_such_persona": "Esta marca ya no está. Elige otra.",
        "error": "No ha podido ser: {reason}",
        "error_too_long": "el mensaje es demasiado largo para el modelo. Acórtalo.",
        "error_disk_full": "el disco está lleno y no se ha podido guardar. Libera espacio y prueba "
        "otra vez.",
        "error_placeholder": "a esta respuesta se le quitó un dato personal, y el bot aprendería a "
        "decir lo que hay entre corchetes. Escríbela sin eso; los contactos de la marca se quedan "
        "si están en sus documentos.",
        "error_busy": "ahora mismo no se puede acceder al registro de conversaciones. Inténtalo "
        "otra vez.",
        "error_changed": "lo que se dijo aquí se ha cambiado o borrado entretanto.",
        "error_unwritable": "no se puede escribir el archivo de ejemplos aprobados, así que no se "
        "ha aprobado nada. El registro del servidor dice por qué.",
        "error_same_version": "elige dos versiones distintas.",
        "error_pair_gone": "esta pareja ya se juzgó, o se mostró hace demasiado tiempo. Empieza "
        "otra vez.",
        "unexpected": "Algo ha fallado por nuestra parte. Queda anotado en el registro del "
        "servidor; inténtalo otra vez.",
        "stopped_early": "Parada antes de la primera palabra.",
        "greeting": "¡Hola! ¿Qué quieres preguntar?",
        "no_words": "El modelo no ha sabido qué decir.",
        "cut_off": "La respuesta llegó a su longitud máxima y se cortó.",
        "busy": "Un momento: todavía se está escribiendo una respuesta. Espera o párala primero.",
        "gone": "Esta conversación ha cambiado en otro sitio. Así está ahora.",
        "too_long": "Ese mensaje es demasiado largo: como mucho {limit} caracteres.",
        "not_in_documents": "No está en los documentos: {words}. Compruébalo antes de fiarte.",
        "sources": "Fuentes",
        "position_page": "página {number}",
        "position_row": "fila {number}",
        "chat": "Chat",
        "pages": "Páginas",
        "search": "Buscar",
        "search_lead": "Pregunta como lo haría un visitante. Verás qué encuentra el bot en los "
        "documentos y por qué.",
        "search_question": "Pregunta",
        "search_hint": "La pregunta de un visitante…",
        "search_button": "Buscar",
        "search_waiting": "Buscando…",
        "search_counts": "Datos para el bot: {facts} · pasajes encontrados: {hits}",
        "search_poor": "Nada responde a esto: el bot contesta sin datos.",
        "search_beyond": "Nada responde a esto: el bot dice que no lo sabe.",
        "search_closest": "Los pasajes más parecidos",
        "search_nothing": "No se ha encontrado nada: ningún documento de esta marca contiene algo "
        "que valga hoy.",
        "search_given": "El bot recibe",
        "search_quote": "Su respuesta dice: «{quote}»",
        "search_found": "Pasajes encontrados",
        "search_chance": "responde: {chance}",
        "search_best": "El más probable, con un {chance}: «{fact}»",
        "search_score": "Puntuación",
        "search_meaning": "significado",
        "search_words": "palabras",
        "search_until": "válido hasta el {day}",
        "search_in_prompt": "se le da al bot",
        "search_no_documents": "{name} aún no tiene documentos. Ponlos en {folder} y ejecuta:",
        "search_no_index": "Los documentos de {name} aún no están indexados. Ejecuta:",
        "search_off": "{name} no consulta nada: knowledge está desactivado en el persona.yaml con "
        "el que se entrenó su versión.",
        "taste": "Cata a ciegas",
        "taste_lead": "Dos respuestas al mismo mensaje, sin decir de quién es cada una. Elige la "
        "mejor y entonces lo sabrás.",
        "taste_one": "Comparar",
        "taste_other": "con",
        "taste_live": "en servicio",
        "taste_version": "Versión {number}",
        "taste_untuned": "Modelo sin entrenar",
        "taste_the_version": "la versión {number}",
        "taste_the_untuned": "el modelo sin entrenar",
        "taste_name": "Tu nombre (opcional)",
        "taste_name_hint": "Figura junto a tus votos. Sin nombre, son anónimos.",
        "taste_start": "Empezar la cata",
        "taste_change": "Cambiar versiones",
        "taste_untrained": "{name} aún no tiene ninguna versión que catar. Entrena la primera con:",
        "taste_person": "Persona",
        "taste_prompt": "Mensaje:",
        "taste_answer": "Respuesta {letter}",
        "taste_a": "A es mejor",
        "taste_b": "B es mejor",
        "taste_neither": "Las dos son malas",
        "taste_waiting": "Se están escribiendo dos respuestas…",
        "taste_here": "Hay un par nuevo. Mensaje: {prompt}",
        "taste_chose": "Elegiste {letter}.",
        "taste_chose_neither": "No elegiste ninguna.",
        "taste_told": "A era {left}; B, {right}.",
        "taste_done": "Ya has juzgado todos los mensajes para estas dos. ¡Gracias! Para seguir, "
        "compara otras versiones o añade preguntas a la carpeta evals de la marca.",
        "taste_results": "Resultados hasta ahora",
        "taste_no_votes": "Nadie ha votado todavía sobre esta marca.",
        "taste_total": "Votos: {votes} · personas: {voters}",
        "taste_few": "muy pocos votos para saberlo",
        "taste_close": "demasiado igualado",
        "taste_ahead": "{ahead} va por delante",
        "taste_share": "{ahead} se llevó el {share} de {n} contra {behind}.",
        "taste_interval": "Intervalo del 95%: de {low} a {high}.",
        "taste_ratings": "Puntuaciones; 1000 es la media",
        "taste_rating": "Puntos",
        "taste_won": "Gana",
        "taste_lost": "Pierde",
        "taste_bad": "Malas",
        "taste_counted": "«Las dos son malas» cuenta medio voto para cada una.",
        "review": "Revisar",
        "review_lead": "Lo que visitantes y compañeros han hablado con el bot, respuesta a "
        "respuesta. Lo que apruebes será un ejemplo del que aprende la próxima versión; nada más "
        "lo será.",
        "review_name": "Tu nombre",
        "review_name_hint": "Figura junto a cada decisión tuya. Este navegador lo recuerda.",
        "review_start": "Empezar a revisar",
        "review_who": "Revisas como",
        "review_change": "Cambiar el nombre",
        "review_nameless": "Di primero quién eres: cada decisión lleva un nombre.",
        "review_count_waiting": "por revisar",
        "review_count_approved": "aprobadas",
        "review_count_rejected": "rechazadas",
        "review_progress": "{done} de {total} revisadas",
        "review_here": "Por revisar",
        "review_why": "Por qué está aquí",
        "review_why_edited": "Corregida",
        "review_why_disliked": "No gustó",
        "review_why_handed-off": "Derivada",
        "review_why_unsourced": "Dice algo que no consta",
        "review_why_off-style": "Fuera de estilo",
        "review_why_unlike": "Distinta de los ejemplos",
        "review_why_liked": "Gustó",
        "review_like": "y {count} más como esta",
        "review_unsourced": "No consta en ningún sitio: {words}",
        "review_removed": "Quitado por privacidad: {kinds}.",
        "review_kind_email": "un correo electrónico",
        "review_kind_phone": "un teléfono",
        "review_kind_iban": "un número de cuenta",
        "review_kind_card": "un número de tarjeta",
        "review_kind_nif": "un número de documento",
        "review_kind_nie": "un número de documento",
        "review_kind_ssn": "un número de documento",
        "review_kind_nino": "un número de documento",
        "review_kind_ip": "una dirección IP",
        "review_kind_token": "un secreto",
        "review_kind_password": "una contraseña",
        "review_kind_private-key": "un secreto",
        "review_kind_other": "un dato personal",
        "review_from_web": "Chat web",
        "review_from_slack": "Slack",
        "review_from_api": "API",
        "review_from_terminal": "Terminal",
        "months": "ene feb mar abr may jun jul ago sept oct nov dic",
        "review_reply": "El bot dijo",
        "review_suggestion": "Alguien propuso",
        "review_reasons": "Lo que se dijo de ella",
        "review_box": "Lo que debería decir la marca",
        "review_approve": "Aprobar",
        "review_approve_edited": "Aprobar editada",
        "review_reject": "Rechazar",
        "review_skip": "Saltar",
        "review_undo": "Deshacer",
        "review_edit": "Editar el texto",
        "review_leave": "Salir del texto",
        "review_keys": "Teclado",
        "review_empty": "Una respuesta vacía no se puede aprobar. Escribe una o rechaza esta.",
        "review_outcome_written": "Aprobada. Está en examples/from-conversations.jsonl.",
        "review_outcome_written-test": "Aprobada. Va a los ejemplos con los que se prueban las "
        "versiones.",
        "review_outcome_exists": "Aprobada. Los ejemplos ya la tienen: {place}.",
        "review_outcome_in-test": "Aprobada. Es una pregunta de prueba, así que no entra en el "
        "entrenamiento.",
        "review_outcome_rejected": "Rechazada. No se aprende nada de ella.",
        "review_outcome_skipped": "Saltada. Vuelve al final.",
        "review_outcome_undone": "Deshecho. Decide otra vez.",
        "review_outcome_edited-by-hand": "Deshecho. Su línea en examples/from-conversations.jsonl "
        "se había cambiado a mano y se ha dejado como está.",
        "review_with": "Y con ella, {count} más como esta.",
        "review_no_undo": "No hay ninguna decisión tuya que deshacer.",
        "review_conflict_approved": "Entretanto, {name} la ha aprobado. No se ha sobrescrito nada.",
        "review_conflict_rejected": "Entretanto, {name} la ha rechazado. No se ha sobrescrito "
        "nada.",
        "review_conflict_folded": "Entretanto, {name} ha decidido sobre otra igual. No se ha "
        "sobrescrito nada.",
        "review_conflict_undone": "Entretanto, {name} ha decidido sobre ella y lo ha deshecho. No "
        "se ha sobrescrito nada.",
        "review_gone": "Esta conversación ha cambiado entretanto: algo se editó o se borró. No se "
        "ha decidido nada.",
        "review_none": "Nadie ha hablado todavía con {name}",
        "review_none_do": "No hay nada que revisar. Habla tú con el bot, pasa a tus compañeros la "
        "dirección de este chat o conéctalo a Slack; lo que se diga llegará aquí.",
        "review_done": "Todo está revisado",
        "review_train": "Enseña a la próxima versión lo que has aprobado:",
        "review_none_approved": "No se ha aprobado nada, así que no hay nada nuevo que aprender.",
    },
}

REASONS = ("voice", "wrong", "unhelpful", "length", "tone")
"""What a dislike can be for; the log holds these words, the page shows ``reason_…``."""

TAKEN_OUT = (
    "email", "phone", "iban", "card", "nif", "nie", "ssn", "nino", "ip", "token", "password",
    "private-key",
)  # fmt: skip
"""Kinds of personal data; the page shows ``review_kind_…``."""

KEYS = {
    "A": "review_approve",
    "R": "review_reject",
    "S": "review_skip",
    "U": "review_undo",
    "E": "review_edit",
    "Esc": "review_leave",
}
"""The review's keys, as ``page.js`` knows them, and what they do."""


def say(language: str, key: str, **values: object) -> str:
    """The text ``key`` in a language of ``LANGUAGES``, its fields filled."""
    return TEXTS[language][key].format(**values) if values else TEXTS[language][key]


ERRORS: dict[type[Exception], str] = {
    TooLongError: "error_too_long",
    DiskFullError: "error_disk_full",
    PlaceholderError: "error_placeholder",
    BusyError: "error_busy",
    ChangedError: "error_changed",
    UnwritableError: "error_unwritable",
    SameVersionError: "error_same_version",
    PairGoneError: "error_pair_gone",
}
"""What visitors and reviewers can meet, in their language; all else is for whoever runs it."""


def say_error(language: str, error: Exception) -> str:
    """What went wrong, for a page."""
    known = ERRORS.get(type(error))
    if known:  # the page says what to do, the log what it was
        log.warning("%s", error)
    return say(language, "error", reason=say(language, known) if known else error)


def choose(asked: str | None, accept_language: str | None) -> str:
    """The language to speak: the one asked for by the switch, else the browser's first we know."""
    if asked in LANGUAGES:
        return asked
    ranked: list[tuple[float, str]] = []
    for entry in (accept_language or "").split(","):
        tag, _, quality = entry.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        ranked.append((weight, tag.split("-")[0].lower()))
    for _, tag in sorted(ranked, key=lambda pair: -pair[0]):
        if tag in LANGUAGES:
            return tag
    return "en"
