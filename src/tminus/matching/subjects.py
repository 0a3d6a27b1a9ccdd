"""What checklists speak of, and the words for it in five languages; how to write an entry stands in `vocabulary`."""

THINGS = {
    "alert": "alert, alarm, alarme, alarma, alerte, alerta, alarmierung, alerting rule",
    "alertfire": "firing, fire, triggered, ausgelost",
    "api": "api, apis, rest api, api endpoint, endpoint",
    "app": "application, app, anwendung, applicatif, aplicacao, aplicacion",
    "audience": "customer, client, user, end user, utilisateur, usuario, nutzer, benutzer, kunde, kunden",
    "auth": "authentication, user authentication, auth, login, logins, sign in, user login, log in,"
    " logging in, authentification, authentifizierung, anmeldung, autenticacion, autenticacao,"
    " inicio de sesion",
    "authority": "authority, authorization process, authorisation process, authorization, authorisation,"
    " decision maker, decision authority, who can authorize, who can order",
    "available": "available, availability, disponible, disponibilite, disponibilidad, disponibilidade,"
    " disponivel, verfugbar, verfugbarkeit",
    "backup": "backup, snapshot, dump, sauvegarde, copia de seguridad, copias de seguridad,"
    " copia de seguranca, respaldo, sicherung, pg dump, mongodump",
    "baseline": "baseline, baseline metrics, ausgangswerte",
    "blue": "blue, old environment, old version, previous environment",
    "bluegreen": "blue green, bluegreen",
    "breaking": "breaking change, breaking api change",
    "business": "business, business metric, business kpi, kpi",
    "cache": "cache, redis cache",
    "cachehit": "cache hit rate, cache hit ratio, hit rate, hit ratio, cache hit, taux de succes du cache",
    "checklist": "checklist, check list, deployment checklist, release checklist, liste de controle",
    "codefreeze": "code freeze, feature freeze, final code freeze, gel du code, congelamiento de codigo,"
    " congelamento de codigo",
    "config": "configuration, config, config file, configuration file, konfiguration, configuracion,"
    " configuracao, configuraciones, configuracoes, settings file",
    "configmap": "configmap, config map",
    "connection": "connection, conn, connexion, verbindung, conexion, conexiones, conexao, conexoes",
    "container": "container, docker, docker container, conteneur, contenedor",
    "cors": "cors, cross origin resource sharing",
    "cpu": "cpu, cpu usage",
    "criteria": "criteria, criterion, trigger, threshold, decision criteria, trigger criteria,"
    " decision trigger, trigger condition, criteres, criterios, kriterien",
    "critical": "critical, critique, critico, critica, criticos, criticas, kritisch*",
    "customersuccess": "customer success, customer success team, csm, cs team",
    "dashboard": "dashboard, grafana dashboard, tableau de bord, tableaux de bord, panel de control, paineis,"
    " painel",
    "data": "data, datos, dados, daten, donnee",
    "database": "database, db, postgres, postgresql, mysql, mariadb, mongodb, mongo, rds, aurora, sql server,"
    " production database, prod db, datenbank*, base de donnees, bases de donnees, bdd, base de datos,"
    " bases de datos, bd, banco de dados",
    "diskspace": "disk space, disk usage, disk, storage usage, espace disque, espacio en disco,"
    " espaco em disco, speicherplatz, festplatte*",
    "document": "document, documentation, documented, docs, doc, written down, documente, documentee,"
    " documentes, dokumentiert, dokumentation, documentacion, documentado, documentada, documentar,"
    " documentacao",
    "down": "downtime, down, unavailable, unreachable, outage, indisponible, indisponibilite,"
    " nicht erreichbar",
    "e2e": "e2e, end to end, e2e test, end to end test",
    "email": "email, e mail, mail, courriel, correo electronico",
    "envvar": "environment variable, env variable, env var, env, environment config,"
    " environment configuration, variable d environnement, variables d environnement, umgebungsvariable*,"
    " variables de entorno, variaveis de ambiente, variables d env",
    "errorrate": "error rate, error ratio, taux d erreur, taux d erreurs, tasa de error, tasa de errores,"
    " taxa de erro, taxa de erros, fehlerrate*, fehlerquote",
    "escalation": "escalation, escalation path, escalation policy, escalation procedure, escalation process,"
    " escalation matrix, escalation chain, escalation plan, eskalation*, chemin d escalade, escalade,"
    " escalamiento, escalonamento",
    "executive": "executive, executive team, exec team, executives, leadership, leadership team, management,"
    " c level, direction, geschaftsfuhrung, direccion, diretoria",
    "externalsecrets": "external secrets operator, external secret, eso",
    "featureflag": "feature flag, feature toggle, feature switch, launch darkly flag,"
    " drapeaux de fonctionnalite",
    "feedback": "feedback, retour utilisateur, retours utilisateurs, retours, comentarios, ruckmeldung*",
    "greenside": "green, green environment, green side",
    "health": "health check, healthcheck, health endpoint, health check endpoint, health, health probe,"
    " healthz, controle de sante, endpoint de sante",
    "image": "image, docker image, container image, images docker, artifact, imagen, imagenes, imagem,"
    " imagens",
    "incident": "incident, incident response, vorfall, incidente",
    "infrastructure": "infrastructure, infra, infrastruktur, infraestructura, infraestrutura, system metrics",
    "integration": "integration, integracion, integraciones, integracao, integracoes, external integration",
    "internal": "internal, interne, interno",
    "latency": "latency, response time, api latency, api response time, latence, temps de reponse, latencia,"
    " tiempo de respuesta, tempo de resposta, antwortzeit*, request duration",
    "lessons": "lessons learned, lessons learnt, learnings, lecons apprises, retour d experience,"
    " lecciones aprendidas, licoes aprendidas, erkenntnisse",
    "link": "link, url, lien, enlace",
    "load": "load, load test, charge, tests de charge, test de charge, lasttest*, prueba de carga,"
    " pruebas de carga, testes de carga, teste de carga",
    "log": "log, logs, logging, journaux, registros, protokolle",
    "logstore": "aggregator, log aggregator, aggregation system, centralized logging, central logging,"
    " logging system, log aggregation, elk, loki, kibana, splunk, datadog, cloudwatch, elasticsearch,"
    " logstash, centralized log system, cloud logging, log management",
    "maintmode": "maintenance mode, maintenance page, mode maintenance, wartungsmodus, modo mantenimiento,"
    " modo de mantenimiento, modo manutencao, modo de manutencao",
    "marketing": "marketing, marketing team, equipe marketing, equipo de marketing, equipe de marketing",
    "meeting": "meeting, reunion, reuniao, besprechung",
    "memory": "memory usage, memory, memory utilization, ram usage, ram, memoire, memoria,"
    " speicherauslastung, arbeitsspeicher",
    "metric": "metric, metrics, metrique*, metrica*, metriken, kennzahlen",
    "migration": "migration, database migration, db migration, schema migration, schema change,"
    " data migration, migrations de base de donnees, migrations de la base de donnees, migracion*, migracoes,"
    " migracao, datenbankmigration*, migrationen, migraciones de base de datos, migracoes de banco de dados,"
    " migracoes do banco de dados",
    "monitor": "monitoring, monitor, observability, surveillance, monitoreo, monitoramento, uberwachung,"
    " supervision",
    "newversion": "new version, new release, nouvelle version, nueva version, nova versao, neue version",
    "notice": "notification, notice, announcement, communication, message, avis, aviso, benachrichtigung,"
    " notificacion, notificacao, notificaciones, notificacoes, ankundigung",
    "oncall": "on call, oncall, astreinte, guardia, plantao, rufbereitschaft, bereitschaft",
    "pagerduty": "pagerduty, pager duty",
    "partner": "partner, partenaire, socio, parceiro, api consumer, api client",
    "percentile": "p95, 95th percentile, p 95, 95 percentile, 95e percentile, percentil 95",
    "performance": "performance, perf, leistung, rendimiento, desempenho",
    "person": "engineer, person, contact, responder, ingenieur, ingeniero, engenheiro, developer,"
    " rotation lead",
    "phonebridge": "phone bridge, conference bridge, bridge line, dial in bridge, telephone bridge,"
    " dial in number, pont telephonique, telefonkonferenz",
    "playbook": "playbook, runbook, run book, play book",
    "pod": "pod, replica",
    "pool": "pool, connection pool",
    "previous": "previous, prior, last stable, previous stable, last known good, precedent*, anterior*,"
    " vorherige*, last working",
    "primary": "primary, principal, primaire, primario, primaria",
    "procedure": "procedure, plan, process, steps, strategy, instructions, procedimiento, procedimento,"
    " verfahren, prozess, rollback plan documentation, guide, commands",
    "queue": "queue, message queue, job queue, file d attente, cola, fila, warteschlange*",
    "queuedepth": "queue depth, queue length, queue size, queue backlog, messages in queue, job queue depth",
    "ratelimit": "rate limit, rate limiting, rate limiter, throttling, limitation de debit, limite de debit,"
    " limites de tasa, limite de taxa, limites de requisicao",
    "loadbalancer": "load balancer, load balancing",
    "maintenance": "maintenance, wartung, mantenimiento, manutencao",
    "retrospective": "retrospective, retro, postmortem, post mortem",
    "routing": "routing, route, routing rule, routage, enrutamiento, roteamento",
    "scan": "scan, scanning, scanner",
    "redis": "redis, redis data",
    "restore": "restore, restoration, restored, restore test, recovery test, test restore, restauration,"
    " restauracion, restauracao, wiederherstell*, rucksicherung, recoverable",
    "rollback": "rollback, roll back, rolled back, rolling back, revert, reverted, retour arriere,"
    " retour en arriere, reversion, rucksetz*, ruckroll*, zuruckroll*",
    "rotation": "rotation, schedule, rota, roster, coverage, planning, turnos, dienstplan",
    "script": "script, scripts sql, sql, skript*",
    "search": "search, search functionality, search function, recherche, busqueda, busca, suche, suchfunktion,"
    " full text search",
    "secondary": "secondary, secondaire, secundario, secundaria",
    "secret": "secret, secrets, k8s secret, kubernetes secret, geheimnisse, production secret",
    "security": "security, securite, seguridad, seguranca, sicherheit, sicherheitstest*, securityscan",
    "service": "service, microservice, servicio, servico, dienst, dienste, component",
    "show": "showing, displaying, display, show, receiving, populated, affich*, anzeigen, zeigen, mostrando",
    "slack": "slack, slack alert, slack notification",
    "slackchannel": "slack channel, slack room, deployment channel in slack, canal slack, slack kanal,"
    " canal de slack",
    "smoke": "smoke, smoke test, smoke testing, smoketest, sanity test, tests de fumee, pruebas de humo,"
    " testes de fumaca",
    "sms": "sms, text message",
    "stakeholder": "stakeholder, parties prenantes, interesados, partes interessadas, interessenvertreter",
    "staging": "staging, stage, preprod, pre prod, pre production, preproduction, qa environment, uat,"
    " staging env, homologacao, no staging, preproduccion, dev, local, localhost, sandbox",
    "statuspage": "status page, statuspage, page de statut, page d etat, statusseite, pagina de estado,"
    " pagina de status",
    "suite": "suite, test suite",
    "supportteam": "support, support team, customer support, customer support team, support staff,"
    " equipe support, equipo de soporte, equipe de suporte, helpdesk, soporte",
    "team": "team, deployment team, launch team, equipe, equipo, team member, mannschaft, everyone",
    "template": "template, modele, plantilla, vorlage, modelo",
    "test": "test, tests, testing, tested, teste, testee, testes, getestet, prueba*, probado, probada,"
    " testado, testada, rehearsed, rehearsal, drill",
    "thirdparty": "third party, third parties, 3rd party, external vendor, vendor, tiers, terceros,"
    " terceiros, drittanbieter",
    "traffic": "traffic, trafic, trafico, trafego, datenverkehr, verkehr",
    "unit": "unit, unit test, unitaire*, unitario*",
    "upload": "upload, file upload, uploads, televersement, subida de archivos, upload de arquivos,"
    " datei upload",
    "vault": "vault, hashicorp vault",
    "version": "version, versions, release version, versao",
    "videocall": "video call, zoom, google meet, zoom call, zoom meeting, google meet call, video conference,"
    " videoconference, conference call, teams call, meet, call, appel video, videollamada",
    "vulnerability": "vulnerability, vulnerabilities, cve, vulnerabilite*, vulnerabilidad*, schwachstelle*,"
    " vuln",
    "warning": "warning, warn, non critical, avertissement*, advertencia*, warnung*",
    "warroom": "war room, warroom, command center, command centre, cellule de crise, sala de guerra",
    "window": "deployment window, maintenance window, release window, go live window, launch window, window,"
    " scheduled maintenance, fenetre de maintenance, fenetre de deploiement, ventana de mantenimiento,"
    " janela de manutencao, wartungsfenster, planned downtime",
    "http200": "200, 200 ok, http 200, status 200, 200 status, 2xx, code 200",
    "hundred": "100%, 100 percent, full",
}
