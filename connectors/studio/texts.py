"""Every word the studio says, in English and Spanish. Both hold the same keys; a test sees to it.

Nothing else in the studio holds a sentence. ``{}`` fields are filled by ``say``.
"""

from __future__ import annotations

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
        "unexpected": "Something went wrong on our side. It is noted in the server's log; please "
        "try again.",
        "stopped_early": "Stopped before the first word.",
        "greeting": "Hello! What would you like to ask?",
        "no_words": "The model had nothing to say to that.",
        "cut_off": "The reply reached its longest length and was cut off.",
        "busy": "One moment: a reply is still being written. Wait for it, or stop it first.",
        "gone": "This conversation has changed somewhere else. Here is how it stands now.",
        "too_long": "That message is too long: at most {limit} characters.",
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
        "unexpected": "Algo ha fallado por nuestra parte. Queda anotado en el registro del "
        "servidor; inténtalo otra vez.",
        "stopped_early": "Parada antes de la primera palabra.",
        "greeting": "¡Hola! ¿Qué quieres preguntar?",
        "no_words": "El modelo no ha sabido qué decir.",
        "cut_off": "La respuesta llegó a su longitud máxima y se cortó.",
        "busy": "Un momento: todavía se está escribiendo una respuesta. Espera o párala primero.",
        "gone": "Esta conversación ha cambiado en otro sitio. Así está ahora.",
        "too_long": "Ese mensaje es demasiado largo: como mucho {limit} caracteres.",
    },
}

REASONS = ("voice", "wrong", "unhelpful", "length", "tone")
"""What a dislike can be for; the log holds these words, the page shows ``reason_…``."""


def say(language: str, key: str, **values: object) -> str:
    """The text ``key`` in a language of ``LANGUAGES``, its fields filled."""
    return TEXTS[language][key].format(**values) if values else TEXTS[language][key]


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
