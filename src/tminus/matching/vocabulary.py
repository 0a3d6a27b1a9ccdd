"""Which words and phrases say the same thing, in five languages; read by `lexicon`, extended by hand.

A concept stands before the colon of its entry, its words behind it, parted by commas. Endings do not matter
(`alert` is also `alerts`, `alerted`, `alerting`); a star stands for any ending; accents and case are ignored; a
phrase of several words wins over its parts. A word belongs to one concept. Words that are in no entry are strange to
a line and make a match less likely, so an everyday word belongs here even where no line needs it.
"""

from tminus.matching.subjects import THINGS

ACTS = {
    "apply": "apply, applied, run, ran, executed, execute, executee*, appliqu*, execut*, aplicad*, aplicar,"
    " ejecutad*, ejecutar, angewendet, angewandt, ausgefuhrt, rodad*, execution",
    "approve": "approve, approved, approval, approver, sign off, signoff, signature, signed off, signed,"
    " sign, approbation, approuv*, aprobacion, aprobado, aprovacao, aprovado, freigabe*, genehmig*,"
    " required approvals, validation finale",
    "assign": "assign, assigned, identified, designated, named, nominated, appointed, on duty,"
    " scheduled on duty, affecte*, designe, designee, designado*, designada*, asignad*, atribuid*,"
    " zugewiesen, benannt, bestimmt, eingeteilt",
    "brief": "briefed, briefing, brief, trained, gebrieft",
    "capture": "capture, captured, recorded, record, collected, noted, saved, enregistr*, capturad*,"
    " registrad*, erfasst, festgehalten",
    "clear": "clear, agreed, understood, clarified, clair*, claro, clara, geklart",
    "create": "create, created, provisioned, generated, cree, creee, crees, creees, creer, creado*, creada*,"
    " crear, criado*, criada*, criar, erstellt, angelegt, opened a, exists",
    "define": "define, defined, established, specified, decided, defini*, definid*, definiert, festgelegt",
    "deploy": "deploy, deployed, deployment, release, released, launch, launched, go live, golive, rollout,"
    " roll out, rolled out, cutover, mise en production, mise en prod, deploiement, deploye*,"
    " produktivsetzung, bereitgestellt, ausgerollt, despliegue, desplegad*, implantacao, implantad*,"
    " salida a produccion, lancement, lanzamiento, lancamento, produccion deploy",
    "done": "done, taken, take, complete, completed, finish, finished, made, make, performed, perform,"
    " conducted, effectu*, realis*, termin*, realizad*, realizar, feit*, hech*, conclu*, completad*,"
    " durchgefuhrt, abgeschlossen, erledigt, faite, faites, fait, gemacht, erfolgt, held, took",
    "enable": "enable, enabled, active, activated, turned on, switched on, in place, enforced, in effect,"
    " activ*, aktiv*, habilitad*, habilitar, ativ*, initiated, started, start, initiate, begun, demarr*,"
    " iniciad*, gestartet",
    "flow": "flowing, flow, ship, shipped, shipping, arriving, streaming, forwarded, ingested, visible,"
    " sent to, being collected, remontent",
    "import": "import, imported, loaded, importe*, importad*, importiert",
    "keep": "keep, kept, preserved, retained, still running, remains, maintained, on standby, standby,"
    " conserve*, mantenid*, mantid*, beibehalten",
    "match": "match, matches, matching, parity, mirrors, mirror, identical, same as, equivalent, correspond*,"
    " identique, identico, entspricht",
    "normal": "normal, nominal, stable, acceptable, within acceptable threshold, within acceptable range,"
    " within acceptable limit, within normal range, within normal limit, within limit, within range,"
    " within threshold, within slo, at normal level, within expected range, normaux, normale*, normais,"
    " normales, estable*, estavel, stabil, as expected",
    "notify": "notify, notified, informed, inform, told, alerted, communicated, announced, announce,"
    " publicized, sent, send, inform*, notifi*, communiqu*, prevenu*, avisad*, comunicad*, anunciad*,"
    " benachrichtigt, informiert, angekundigt, annonc*, posted, published",
    "open": "open, opened, active war room, staffed, ouvert*, abiert*, abert*, geoffnet",
    "pass": "pass, passes, passed, passing, successful, succeeded, green build, reussi*, passent, pasan,"
    " pasando, passando, passam, bestanden, erfolgreich, exitos*, sucesso, succes, exito, success, clean,"
    " all green, ok, okay, successfully",
    "positive": "positive, positif*, positiv*, good",
    "prepare": "prepare, prepared, ready, readied, drafted, draft, pret, prets, prete, pretes, prepare*,"
    " preparad*, listo, lista, listos, listas, pronto, prontos, pronta, prontas, bereit, vorbereitet",
    "respond": "respond, responds, responding, return, returns, returned, returning, answers, repond*,"
    " responde*, antwortet, liefert, retourne, renvoie, devuelve, retorna",
    "review": "review, reviewed, read through, revu*, relu*, revisad*, revisar, uberpruft, durchgesehen",
    "runs": "running, up, healthy, up and running, alive, live, operational, en cours d execution, corriendo,"
    " rodando, laufen, lauft, en ligne, saludable*, saudave*",
    "schedule": "scheduled, schedule a, book, booked, planned, planifi*, programad*, agendad*, agendar,"
    " geplant, terminiert, set for",
    "set": "set, set up, setup, configured, configure, configur*, konfigurier*, eingerichtet, gesetzt,"
    " adjusted, established in, parametr*",
    "share": "share, shared, distributed, circulated, partage*, compartid*, compartilhad*, geteilt",
    "shift": "shift traffic, shifted, shifting, shift, switched, routed, redirected, migrated, moved,"
    " bascul*, umgeleitet, umgeschaltet, redirigid*, direcionad*, switch",
    "gradual": "gradual, gradually, progressively, incrementally, progressiv*, gradual*, schrittweise,"
    " stepwise",
    "store": "store, stored, kept in, managed, managed by, managed via, referencing, sourced from,"
    " loaded from, injected from, synced from, backed by, stocke*, almacenad*, armazenad*, gespeichert",
    "stop": "terminate, terminated, decommission, decommissioned, torn down, shut down, removed, scaled down,"
    " destroyed, supprim*, abgeschaltet, desactivad*, desligad*, eliminad*",
    "update": "update, updated, refreshed, mis a jour, mise a jour, mises a jour, actualizad*, atualizad*,"
    " actualizar, atualizar, aktualisiert",
    "verify": "verify, verified, check, checked, validate, validated, confirm, confirmed, ensure, make sure,"
    " verifi*, valid*, gepruft, bestatigt, comprobad*, confirmad*, confirm*, controle",
    "validation": "validation, verification, validator",
    "work": "work, works, working, functional, functioning, function, fonctionn*, funciona*, funktionier*,"
    " functions, operating, operationnel*",
    "limit": "restricted, restrict, limited",
}

PLACES = {
    "pre": "pre deployment, pre deploy, predeployment, pre release, pre launch, pre go live, pre flight,"
    " preflight, before deployment, before release, before go live, before launch, before deploying,"
    " prior to deployment, avant deploiement, avant le deploiement, avant mise en production,"
    " avant la mise en production, vor dem deployment, vor deployment, antes del despliegue, antes do deploy,"
    " pre despliegue, pre implantacao, pre deploiement, vor dem release, vor dem go live, antes da implantacao",
    "post": "post deployment, post deploy, postdeployment, post release, post launch, post go live,"
    " after deployment, after release, after go live, after deploying, apres deploiement,"
    " apres le deploiement, apres mise en production, apres la mise en production, nach dem deployment,"
    " nach dem go live, nach deployment, despues del despliegue, pos deploy, apos o deploy, apos deploy,"
    " post despliegue, pos implantacao, post production, post implementation",
    "canary": "canary, canario, canari",
    "development": "implementation, implemented, acceptance criteria, sprint, backlog, to do, task,"
    " user story, story, development, refactor*, roadmap, bug, definition of done, pull request, prototype,"
    " milestone tasks, developpement, desarrollo, desenvolvimento, entwicklung, tareas, tarefas, taches,"
    " aufgaben, code review, coding",
    "production": "production, prod, produktion, produccion, producao, produktiv*, live environment",
    "success": "success criteria, criteres de succes, criterios de exito, criterios de sucesso,"
    " erfolgskriterien",
    "readiness": "readiness, deployment checklist section, checklist de deploy, freigabe checkliste",
    "communication": "communication channels, communications, kommunikation, comunicacion, comunicacao",
}

ROLES = {
    "devopslead": "devops lead, devops manager, head of devops, lead devops, sre lead, responsable devops,"
    " lider devops, leiter devops, devops leiter",
    "englead": "engineering lead, tech lead, technical lead, engineering manager, lead engineer,"
    " lead developer, head of engineering, lider tecnico, lead technique, technischer leiter",
    "seclead": "security lead, head of security, ciso, security officer, responsable securite,"
    " lider de seguridad, lider de seguranca, sicherheitsleiter",
    "qalead": "qa lead, test lead, qa manager, head of qa, quality lead, responsable qa, lider qa,"
    " lider de qa",
    "cto": "cto, chief technology officer, chief technical officer",
    "date": "date, datum, fecha, data de, name, signed by",
}

NEUTRAL = {
    "every": "all, every, each, tous, toutes, tout, alle, aller, todos, todas, todo",
    "of no weight": "the, a, an, of, to, for, in the, on, at, by, from, is, are, be, been, was, were, has,"
    " have, and, or, with, we, our, us, you, your, it, its, this, that, these, any, via, per, as, has been,"
    " le, la, les, l, d, de, du, des, et, un, une, pour, sur, en, au, aux, est, sont, a ete, ont ete, der,"
    " die, das, den, dem, ein, eine, und, fur, auf, im, ist, sind, wurde, wurden, von, zum, zur, mit, el,"
    " los, las, del, al, y, para, por, con, es, son, ha, han, sido, fue, esta, estan, o, os, do, da, dos, e,"
    " foi, foram, estao, um, uma, com, na, if applicable, if needed, if required, if possible, if necessary,"
    " if any, if stable, when applicable, as needed, optional, where applicable, where needed, si necessaire,"
    " si applicable, si aplica, falls notig, se aplicavel, in, hour, hours, h, hr, minute, minutes, min,"
    " mins, second, seconds, sec, s, ms, day, days, req, rps, utc, am, pm, current, currently, latest,"
    " recent, new, final, proper, properly, correct, correctly, fully, required, necessary, relevant,"
    " appropriate, environment, environments, env s, environnement, entorno, ambiente, umgebung, system,"
    " systems, settings, setting, eg, e g, i e, ie, etc, advance, rules, rule, policy, policies, values,"
    " value, kubernetes, k8s, date and time, actual, key, main, planned s, real, registry, integrity, files,"
    " known, issues, changes, coordination",
}

VETOES = {
    "not": "no, not, without, never, non, none, nicht, kein, keine, ohne, sans, sin, sem, nao, aucun, aucune,"
    " ningun*, nenhum*, zero, 0, disable, disabled, deactivate, remove, delete, unset, ne, pas, cannot,"
    " can t, don t, doesn t",
    "trouble": "500, 502, 503, 404, 401, 403, 5xx, 4xx,"
    " fail, failed, failing, failure, broken, missing, pending, skipped, blocked, outdated, tbd,"
    " wip, in progress, waiting, not yet, will, should, needs, need, must, would, could, later, future,"
    " echec, echoue, fehlgeschlagen, fehlt, fallo, fallido, falhou, pendiente, pendente, ausstehend,"
    " postponed, cancelled, incident open, deferred",
    "construct": "build, built, building",
    "build": "implement, develop, write, add, fix, refactor, design, research, investigate, explore,"
    " plan to, consider, propose, introduce, improve, optimize, rewrite, extend, adding, writing,"
    " implementing, developing, fixing, ajouter, ecrire, developper, implementer, concevoir, corriger,"
    " implementar, agregar, anadir, escribir, desarrollar, adicionar, escrever, desenvolver, corrigir,"
    " implementieren, entwickeln, schreiben, hinzufugen, how to, learn, understand, decide, choose, evaluate,"
    " support for, added, wrote, fixed, crear script, tutorial, example",
    "condition": "if, when, once, unless, until, whether, si, falls, wenn, cuando, quando, se, sobald",
}

CONCEPTS = {**THINGS, **ACTS, **PLACES, **ROLES, **NEUTRAL, **VETOES}
FREE = frozenset({"of no weight", "production", "deploy", "verify", "hundred", "every", "pass"})
"""Concepts that any line may mention without becoming another line."""

COMPOUNDS = {
    "back up": "backup done",
    "backup on call": "secondary oncall",
    "backup oncall": "secondary oncall",
    "test green": "test pass",
    "sauvegardee": "backup done",
    "sauvegarde": "backup",
    "gesichert": "backup done",
    "respaldada": "backup done",
    "respaldado": "backup done",
    "sauvegardees": "backup done",
    "can log in": "auth work",
    "can login": "auth work",
    "able to log in": "auth work",
    "can search": "search work",
    "can upload files": "upload work",
    "kept running": "keep",
    "unassigned": "not assign",
    "undocumented": "not document",
    "untested": "not test",
    "unverified": "not verify",
}
"""Words that say several things at once, by the concepts they stand for."""

ORDERS = {
    "build": "create, configure, set, setup, enable, import, deploy, test, document, define, prepare, update,"
    " establish, provision, schedule, generate, apply, install, restrict, store, mirror, match, creer,"
    " configurer, activer, importer, tester, documenter, preparer, definir, mettre, crear, configurar,"
    " habilitar, documentar, probar, preparar, criar, ativar, testar, konfigurieren, erstellen, einrichten,"
    " aktivieren, testen, dokumentieren",
    "do": "take, run, execute, notify, inform, announce, assign, share, capture, review, keep, open, back,"
    " backup, send, brief, perform, complete, record, confirm, book, verify, check, ensure, validate, start,"
    " initiate, shift, route, switch, decommission, terminate, restore, hold, collect, realizar, effectuer,"
    " prendre, executer, ejecutar, executar, verifier, verificar, informer, notifier, notificar, informar,"
    " sichern, prufen",
}
"""First words that give an order. One to make something is trusted in a list for a release, not in one for
development; the others are what a launch itself does."""
