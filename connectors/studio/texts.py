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
        "chat": "Chat",
        "pages": "Pages",
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
        "chat": "Chat",
        "pages": "Páginas",
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
